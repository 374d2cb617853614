{{/* Names are fixed but for the release: two releases in one namespace get two sets of objects. */}}
{{- define "archive-operator.name" -}}
{{- if contains "archive-operator" .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-archive-operator" .Release.Name | trunc 52 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "archive-operator.selector" -}}
app.kubernetes.io/name: archive-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "archive-operator.labels" -}}
{{ include "archive-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: archivestream
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "archive-operator.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "archive-operator.name" .) .Values.serviceAccount.name }}{{ else }}{{ required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name }}{{ end -}}
{{- end }}

{{- define "archive-operator.image" -}}
{{- if .Values.image.digest }}{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}{{ else }}{{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}{{ end -}}
{{- end }}

{{/* Comma-separated; empty means all namespaces. */}}
{{- define "archive-operator.watchNamespaces" -}}
{{- if .Values.watchNamespaces }}{{ join "," .Values.watchNamespaces }}{{ else if eq .Values.rbac.scope "Namespaced" }}{{ .Release.Namespace }}{{ end -}}
{{- end }}

{{/* Pod Security "restricted". */}}
{{- define "archive-operator.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "archive-operator.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Secret with the certificate of the secure metrics port; empty when there is none. */}}
{{- define "archive-operator.metricsSecret" -}}
{{- if .Values.metrics.secure.enabled }}{{ .Values.metrics.secure.certificateSecret }}{{ end -}}
{{- end }}

{{/* ClusterRole for whoever scrapes the secure metrics port. */}}
{{- define "archive-operator.metricsReader" -}}
{{ printf "%s-%s-metrics-reader" .Release.Namespace (include "archive-operator.name" .) }}
{{- end }}
