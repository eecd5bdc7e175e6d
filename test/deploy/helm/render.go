// Renders a chart as "helm template" does, for tests where Helm is not to be had. What it knows is
// what Helm does before a chart's templates run (values laid over each other, null takes away, the
// objects .Values, .Release, .Chart, .Capabilities, .Files, .Template) and the functions that Helm
// adds to Sprig. It knows no subcharts. The values go through sigs.k8s.io/yaml, as Helm's do: a
// number is a float64, whatever a template then makes of it.
//
// usage: render [-f VALUES]... [-release NAME] [-namespace NAME] [-values|-notes|-yaml] CHART
//
// Without -values (the values that hold, as JSON, for the schema), -notes (NOTES.txt) and -yaml (the
// manifests as Helm prints them) it prints the manifests as a JSON list, in the order of the files.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type values = map[string]interface{}

type fileList []string

func (l *fileList) String() string     { return strings.Join(*l, ",") }
func (l *fileList) Set(s string) error { *l = append(*l, s); return nil }

func fail(err error) {
	fmt.Fprintln(os.Stderr, "render:", err)
	os.Exit(1)
}

// ---- values ----

func readValues(path string) (values, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	v := values{}
	if err := yaml.UnmarshalStrict(text, &v); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// over wins; null takes a member away; lists are replaced whole.
func merge(under, over values) {
	for name, value := range over {
		if value == nil {
			delete(under, name)
			continue
		}
		from, isMap := value.(map[string]interface{})
		to, wasMap := under[name].(map[string]interface{})
		if isMap && wasMap {
			merge(to, from)
		} else {
			under[name] = value
		}
	}
}

func mergedValues(chart string, files []string) (values, error) {
	merged, err := readValues(filepath.Join(chart, "values.yaml"))
	for _, file := range files {
		var over values
		if err == nil {
			over, err = readValues(file)
			merge(merged, over)
		}
	}
	return merged, err
}

// ---- what templates see ----

type chartFiles struct{ dir string }

func (f chartFiles) Get(name string) string {
	text, err := os.ReadFile(filepath.Join(f.dir, filepath.Clean("/"+name)))
	if err != nil {
		return ""
	}
	return string(text)
}

type apiVersions []string

func (a apiVersions) Has(version string) bool {
	for _, known := range a {
		if known == version {
			return true
		}
	}
	return false
}

func objects(chart, release, namespace string, merged values) (values, error) {
	text, err := os.ReadFile(filepath.Join(chart, "Chart.yaml"))
	if err != nil {
		return nil, err
	}
	about := values{}
	if err := yaml.UnmarshalStrict(text, &about); err != nil {
		return nil, err
	}
	// Templates write them with a capital.
	named := values{}
	for name, value := range about {
		named[strings.ToUpper(name[:1])+name[1:]] = value
	}
	return values{
		"Values": merged, "Chart": named, "Files": chartFiles{chart},
		"Release": values{"Name": release, "Namespace": namespace, "Service": "Helm", "Revision": 1,
			"IsInstall": true, "IsUpgrade": false},
		"Capabilities": values{
			"KubeVersion": values{"Version": "v1.30.0", "Major": "1", "Minor": "30"},
			"APIVersions": apiVersions{"v1", "apps/v1", "batch/v1", "policy/v1", "networking.k8s.io/v1"}},
	}, nil
}

// ---- the functions of Helm ----

func toYaml(v interface{}) string {
	text, err := yaml.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(text), "\n")
}

func fromYaml(text string) values {
	v := values{}
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		v["Error"] = err.Error()
	}
	return v
}

func toJSON(v interface{}) string {
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text)
}

func required(message string, v interface{}) (interface{}, error) {
	if v == nil || v == "" {
		return v, errors.New(message)
	}
	return v, nil
}

// No cluster to look into, as for "helm template".
func lookup(_, _, _, _ string) values { return values{} }

func functions(t *template.Template) template.FuncMap {
	f := sprig.TxtFuncMap()
	// A chart must render the same wherever it is rendered.
	delete(f, "env")
	delete(f, "expandenv")
	f["toYaml"], f["fromYaml"], f["toJson"] = toYaml, fromYaml, toJSON
	f["required"], f["lookup"] = required, lookup
	f["include"] = func(name string, data interface{}) (string, error) {
		var out bytes.Buffer
		err := t.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	f["tpl"] = func(text string, data interface{}) (string, error) {
		var out bytes.Buffer
		own, err := t.Clone()
		if err == nil {
			own, err = own.New("tpl").Parse(text)
		}
		if err == nil {
			err = own.Execute(&out, data)
		}
		return noValue(out.String()), err
	}
	return f
}

// What Helm makes of a member that is not there.
func noValue(text string) string { return strings.ReplaceAll(text, "<no value>", "") }

// ---- rendering ----

func templateFiles(chart string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(filepath.Join(chart, "templates"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, path)
		}
		return err
	})
	sort.Strings(names)
	return names, err
}

type rendered struct{ name, text string }

func render(chart string, data values) ([]rendered, error) {
	var out []rendered
	paths, err := templateFiles(chart)
	if err != nil {
		return nil, err
	}
	t := template.New("chart").Option("missingkey=zero")
	t.Funcs(functions(t))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if _, err := t.New(path).Parse(string(text)); err != nil {
			return nil, err
		}
	}
	for _, path := range paths {
		if strings.HasPrefix(filepath.Base(path), "_") {
			continue
		}
		var text bytes.Buffer
		data["Template"] = values{"Name": path, "BasePath": filepath.Join(chart, "templates")}
		if err := t.ExecuteTemplate(&text, path, data); err != nil {
			return nil, err
		}
		out = append(out, rendered{path, noValue(text.String())})
	}
	return out, nil
}

var separator = regexp.MustCompile(`(?m)^---.*$`)

// The documents of a file that hold anything, strictly: a member twice is an error.
func documents(r rendered) ([]values, error) {
	var list []values
	for _, text := range separator.Split(r.text, -1) {
		v := values{}
		if err := yaml.UnmarshalStrict([]byte(text), &v); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", r.name, err, text)
		}
		if len(v) > 0 {
			list = append(list, v)
		}
	}
	return list, nil
}

func printNotes(all []rendered) {
	for _, r := range all {
		if filepath.Base(r.name) == "NOTES.txt" {
			fmt.Print(r.text)
		}
	}
}

func printManifests(all []rendered, asYaml bool) error {
	list := []values{}
	for _, r := range all {
		if filepath.Base(r.name) == "NOTES.txt" {
			continue
		}
		some, err := documents(r)
		if err != nil {
			return err
		}
		list = append(list, some...)
		if asYaml && len(some) > 0 {
			fmt.Printf("---\n# Source: %s\n%s\n", r.name, strings.Trim(r.text, "\n"))
		}
	}
	if asYaml {
		return nil
	}
	return printJSON(list)
}

func printJSON(v interface{}) error {
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(v)
}

func main() {
	var files fileList
	flag.Var(&files, "f", "a file of values, laid over those before it")
	release := flag.String("release", "stellaops", "the name of the release")
	namespace := flag.String("namespace", "default", "where it goes")
	onlyValues := flag.Bool("values", false, "print the values that hold")
	notes := flag.Bool("notes", false, "print NOTES.txt")
	asYaml := flag.Bool("yaml", false, "print the manifests as YAML")
	flag.Parse()
	if flag.NArg() != 1 {
		fail(errors.New("usage: render [-f VALUES]... CHART"))
	}
	chart := flag.Arg(0)
	merged, err := mergedValues(chart, files)
	if err == nil && *onlyValues {
		err = printJSON(merged)
	} else if err == nil {
		err = printChart(chart, *release, *namespace, merged, *notes, *asYaml)
	}
	if err != nil {
		fail(err)
	}
}

func printChart(chart, release, namespace string, merged values, notes, asYaml bool) error {
	data, err := objects(chart, release, namespace, merged)
	if err != nil {
		return err
	}
	all, err := render(chart, data)
	if err != nil {
		return err
	}
	if notes {
		printNotes(all)
		return nil
	}
	return printManifests(all, asYaml)
}
