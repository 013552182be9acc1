{{- define "claim-analytics.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "claim-analytics.fullname" -}}
{{- $name := include "claim-analytics.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "claim-analytics.selector" -}}
app.kubernetes.io/name: {{ include "claim-analytics.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "claim-analytics.labels" -}}
{{ include "claim-analytics.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "claim-analytics.image" -}}
{{- $image := .Values.image }}
{{- if $image.digest }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}

{{- define "claim-analytics.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "claim-analytics.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "claim-analytics.httpAddress" -}}
{{- .Values.settings.HTTP_ADDRESS | default "0.0.0.0:8080" }}
{{- end }}

{{- define "claim-analytics.httpPort" -}}
{{- regexFind "[0-9]+$" (include "claim-analytics.httpAddress" .) }}
{{- end }}

{{/* A number of a values file is a float, which Go would write as 1.6777216e+07. */}}
{{- define "claim-analytics.plain" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ printf "%.0f" . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{/*
Longer than the service takes at most from SIGTERM to its end: the batch at hand, then breaking off,
leaving groups and closing connections (service/runner.py), and requests in flight.
*/}}
{{- define "claim-analytics.graceSeconds" -}}
{{- add (ceil (.Values.settings.SHUTDOWN_SECONDS | default 20)) 40 }}
{{- end }}
