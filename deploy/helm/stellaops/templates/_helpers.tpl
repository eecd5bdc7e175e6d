{{/*
What the templates of the findings ledger have in common. They are called with the root; those for
one part of the release with a dict of "root" and "part".
*/}}

{{/* stellaops-findings-ledger. The name of a CronJob may have 52 characters. */}}
{{- define "findingsLedger.name" -}}
{{- if gt (len .Release.Name) 23 -}}
{{- fail (printf "the name of the release has %d characters; at most 23 leave room for those of its jobs" (len .Release.Name)) -}}
{{- end -}}
{{- printf "%s-findings-ledger" .Release.Name -}}
{{- end -}}

{{/* What never changes about a part: a Deployment cannot change how it finds its pods. */}}
{{- define "findingsLedger.selectorLabels" -}}
app.kubernetes.io/name: findings-ledger
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "findingsLedger.labels" -}}
{{ include "findingsLedger.selectorLabels" . }}
app.kubernetes.io/part-of: stellaops
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "findingsLedger.serviceAccountName" -}}
{{- $account := .Values.services.findingsLedger.serviceAccount -}}
{{- if $account.name -}}
{{- $account.name -}}
{{- else if $account.create -}}
{{- include "findingsLedger.name" . -}}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{/* Called with a dict of "root" and "image". */}}
{{- define "findingsLedger.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* An entry of envFromSecrets is a name, or an object with one. */}}
{{- define "findingsLedger.secretName" -}}
{{- if kindIs "string" . -}}{{ . }}{{- else -}}{{ .name }}{{- end -}}
{{- end -}}

{{/* The secret of a job's login; called with a dict of "root" and "name". */}}
{{- define "findingsLedger.loginSecret" -}}
{{- if .name -}}
{{- .name -}}
{{- else -}}
{{- $secrets := .root.Values.services.findingsLedger.envFromSecrets -}}
{{- if not $secrets -}}
{{- fail "services.findingsLedger.envFromSecrets is empty: no secret has LEDGER__DB__CONNECTIONSTRING" -}}
{{- end -}}
{{- include "findingsLedger.secretName" (first $secrets) -}}
{{- end -}}
{{- end -}}

{{/* One variable, and none of the other secrets beside it. */}}
{{- define "findingsLedger.loginEnv" -}}
- name: LEDGER__DB__CONNECTIONSTRING
  valueFrom:
    secretKeyRef:
      name: {{ include "findingsLedger.loginSecret" . }}
      key: LEDGER__DB__CONNECTIONSTRING
{{- end -}}

{{/* Nobody special, in a group of its own, which the volumes are given to. */}}
{{- define "findingsLedger.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "findingsLedger.securityContext" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What every pod of the release has, of whatever part; called with the root. */}}
{{- define "findingsLedger.podCommon" -}}
{{- $ledger := .Values.services.findingsLedger -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "findingsLedger.podSecurityContext" . | nindent 2 }}
{{- with $ledger.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $ledger.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $ledger.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $ledger.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* Called with a dict of "name", the volume's, and "storage". */}}
{{- define "findingsLedger.claimVolume" -}}
- name: {{ .volume }}
  persistentVolumeClaim:
    claimName: {{ .storage.existingClaim | default .claim }}
{{- end -}}

{{/* A claim that outlives the release; called with a dict of "root", "part", "name" and "storage". */}}
{{- define "findingsLedger.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "findingsLedger.labels" . | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  accessModes: [ReadWriteOnce]
  {{- with .storage.storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .storage.size }}
{{- end -}}
