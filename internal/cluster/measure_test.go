package cluster

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func list(cpu, memory, pods string) corev1.ResourceList {
	out := corev1.ResourceList{}
	for name, v := range map[corev1.ResourceName]string{corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory, corev1.ResourcePods: pods} {
		if v != "" {
			out[name] = resource.MustParse(v)
		}
	}
	return out
}

func node(name string, left corev1.ResourceList, change func(*corev1.Node)) corev1.Node {
	n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{Allocatable: left,
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}
	if change != nil {
		change(&n)
	}
	return n
}

// TestRoomIsWhatTheSchedulerWouldFind counts pods by what nobody has requested.
func TestRoomIsWhatTheSchedulerWouldFind(t *testing.T) {
	nodes := []corev1.Node{
		node("a", list("4", "8Gi", "110"), nil),
		node("b", list("4", "1Gi", "110"), nil),
		node("c", list("64", "64Gi", "3"), nil),
		node("cordoned", list("64", "64Gi", "110"), func(n *corev1.Node) { n.Spec.Unschedulable = true }),
		node("tainted", list("64", "64Gi", "110"), func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "x", Effect: corev1.TaintEffectNoSchedule}}
		}),
		node("away", list("64", "64Gi", "110"), func(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionUnknown }),
	}
	pod := corev1.Pod{Spec: corev1.PodSpec{NodeName: "a", Containers: []corev1.Container{
		{Resources: corev1.ResourceRequirements{Requests: list("1500m", "1Gi", "")}}, {Resources: corev1.ResourceRequirements{Requests: list("500m", "", "")}}}}}
	// a has 2 processors left, b memory for two, c one place.
	others := corev1.Pod{Spec: corev1.PodSpec{NodeName: "c"}}
	got := freeFor(nodes, []corev1.Pod{pod, others, others}, list("500m", "512Mi", ""))
	if got.Pods != 4+2+1 || got.Nodes != 3 || got.CPU != 2+4+64 {
		t.Errorf("%+v, want 7 pods on 3 nodes with 70 processors", got)
	}
	if got := freeFor(nodes[2:3], nil, nil); got.Pods != 3 {
		t.Errorf("pods that ask for nothing: %+v, want 3", got)
	}
}
