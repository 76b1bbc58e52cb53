package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func exampleSpec(t *testing.T) *Spec {
	t.Helper()
	parcel, err := Pack(&Manifest{Run: "r1", Shards: 4}, []File{{Path: "/home/me/flow.yaml", Data: []byte("steps: []\n")}})
	if err != nil {
		t.Fatal(err)
	}
	return &Spec{Run: "r1", Profile: "load", Namespace: "perf", Image: "perfctl:1", Shards: 4, Parcel: parcel,
		Secret: map[string]string{"DB_PASSWORD": "s3cret"}, Deadline: time.Hour, TTL: time.Hour, Planned: time.Minute}
}

// TestPodsAreFitForRestrictedNamespacesAndNeverRunTwice reads the Job as the API server's
// admission does.
func TestPodsAreFitForRestrictedNamespacesAndNeverRunTwice(t *testing.T) {
	j := exampleSpec(t).Job()
	s, p := &j.Spec, &j.Spec.Template.Spec
	c := &p.Containers[0]
	for what, ok := range map[string]bool{
		"a pod for each shard":       *s.Completions == 4 && *s.Parallelism == 4,
		"none starts twice":          *s.BackoffLimitPerIndex == 0 && string(*s.PodReplacementPolicy) == "Failed" && string(p.RestartPolicy) == "Never",
		"one that fails ends itself": *s.MaxFailedIndexes == 4,
		"it ends and goes":           *s.ActiveDeadlineSeconds == 3600 && *s.TTLSecondsAfterFinished == 3600,
		"no token":                   !*p.AutomountServiceAccountToken && !*p.EnableServiceLinks,
		"nobody":                     *p.SecurityContext.RunAsNonRoot && *p.SecurityContext.RunAsUser > 0,
		"seccomp":                    string(p.SecurityContext.SeccompProfile.Type) == "RuntimeDefault",
		"no capability":              len(c.SecurityContext.Capabilities.Drop) == 1 && string(c.SecurityContext.Capabilities.Drop[0]) == "ALL",
		"no escalation":              !*c.SecurityContext.AllowPrivilegeEscalation && *c.SecurityContext.ReadOnlyRootFilesystem,
		"no CPU limit":               c.Resources.Limits.Cpu().IsZero() && !c.Resources.Requests.Cpu().IsZero(),
		"nothing secret in args":     len(c.Args) == 2,
		"settings by envFrom":        c.EnvFrom[0].SecretRef.Name == "perfctl-r1",
		"not to be moved":            j.Spec.Template.Annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false",
		"spread":                     p.TopologySpreadConstraints[0].TopologyKey == "kubernetes.io/hostname",
	} {
		if !ok {
			t.Errorf("not so: %s", what)
		}
	}
}

func TestSecretsAreNotRenderedUnasked(t *testing.T) {
	s := exampleSpec(t)
	text, err := s.Render(func(string, string) string { return "xxx" })
	if err != nil || strings.Contains(string(text), "s3cret") || strings.Count(string(text), "---\n") != 3 || strings.Contains(string(text), "status:") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestValues(t *testing.T) {
	for text, want := range map[string]string{
		"replicas: 3": `unknown field "replicas"`,
		"resources: {limits: {cpu: 2}, requests: {cpu: 1}}": "a CPU limit of 2 above a request of 1",
		"resources: {limits: {cpu: 50m}}":                   "too little to keep a schedule",
		"resources: {limits: {cpu: 2}, requests: {cpu: 2}}": "",
		"tolerations: [{key: load, operator: Exists}]":      "",
		"awayFrom: {app: orchestrator}":                     "",
		"hostNetwork: yes please":                           "cannot unmarshal",
	} {
		v, err := ParseValues("values.yaml", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if v != nil && v.AwayFrom != nil {
			s := exampleSpec(t)
			s.Values = *v
			if a := s.Job().Spec.Template.Spec.Affinity; a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0].LabelSelector.MatchLabels["app"] != "orchestrator" {
				t.Errorf("affinity: %+v", a)
			}
		}
	}
}

func TestAParcelIsUnpackedBelowItsFolder(t *testing.T) {
	files := []File{{Path: "/home/me/flow.yaml", Data: []byte("a")}, {Path: "/home/me/data/../rows.csv", Data: []byte("b")}}
	m := &Manifest{Run: "r1", Shards: 2, Folder: "/home/me", Args: []string{"load"}}
	parcel, err := Pack(m, files)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Pack(m, []File{files[1], files[0]})
	if err != nil || ParcelHash(parcel) != ParcelHash(again) {
		t.Errorf("the same files make other bytes: %v", err)
	}
	got, root, err := Unpack(parcel, filepath.Join(t.TempDir(), "plan"))
	if err != nil || got.Run != "r1" || got.Folder != "/home/me" {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, want := range map[string]string{"flow.yaml": "a", "rows.csv": "b"} {
		if text, err := os.ReadFile(filepath.Join(root, "home", "me", name)); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if _, _, err := Unpack(parcel[:len(parcel)/2], t.TempDir()); err == nil {
		t.Error("half a parcel is taken")
	}
}
