/*
 * sha_loop.c
 *		The baseline of merkle-root: so many SHA-256 over 65 bytes, which is two
 *		blocks, as the hash of a tree's node is; each over the one before.
 *
 * Prints the seconds that it took.  usage: sha_loop N
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

int
main(int argc, char **argv)
{
	long		n = argc == 2 ? atol(argv[1]) : 0;
	EVP_MD	   *md = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char node[65] = {1};
	struct timespec start;
	struct timespec end;

	if (n <= 0 || md == NULL || ctx == NULL)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (n-- > 0)
	{
		if (EVP_DigestInit_ex2(ctx, md, NULL) != 1 || EVP_DigestUpdate(ctx, node, sizeof(node)) != 1 ||
			EVP_DigestFinal_ex(ctx, node + 1, NULL) != 1)
			return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.6f\n", (double) (end.tv_sec - start.tv_sec) + (double) (end.tv_nsec - start.tv_nsec) / 1e9);
	return 0;
}
