package options

import (
	"encoding/json"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

func (p *parser) thresholds(v json.RawMessage) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(v, &all); err != nil {
		p.fault("is an object of metrics and conditions, not %s", v)
		return
	}
	for _, key := range keys(all) {
		p.at = "options.thresholds[\"" + key + "\"]"
		metric, tags, ok := splitKey(key)
		if !ok {
			p.fault("is no metric, nor one with tags such as http_req_duration{status:200}")
			continue
		}
		var list []json.RawMessage
		if json.Unmarshal(all[key], &list) != nil {
			list = []json.RawMessage{all[key]}
		}
		for _, x := range list {
			t := Threshold{Key: key, Metric: metric, Tags: tags, Place: p.place()}
			if p.condition(&t, x) {
				p.o.Thresholds = append(p.o.Thresholds, t)
			}
		}
	}
}

func (p *parser) condition(t *Threshold, v json.RawMessage) bool {
	if json.Unmarshal(v, &t.Condition) == nil {
		return true
	}
	var long map[string]json.RawMessage
	if json.Unmarshal(v, &long) != nil {
		p.fault("%s is neither a condition nor {threshold, abortOnFail, delayAbortEval}", v)
		return false
	}
	at := p.at
	defer func() { p.at = at }()
	for _, k := range keys(long) {
		p.at = at + "." + k
		switch k {
		case "threshold":
			t.Condition = p.text(long[k])
		case "abortOnFail":
			if json.Unmarshal(long[k], &t.Abort) != nil {
				p.fault("is true or false, not %s", long[k])
			}
		case "delayAbortEval":
			t.Delay = p.duration(long[k])
		default:
			p.fault("there is no such key; there are threshold, abortOnFail, delayAbortEval")
		}
	}
	if t.Condition == "" {
		p.at = at
		p.fault("has an entry without a threshold")
		return false
	}
	return true
}

// splitKey takes a metric and its tags apart.
func splitKey(key string) (metric string, tags map[string]string, ok bool) {
	metric, rest, tagged := strings.Cut(strings.TrimSpace(key), "{")
	metric = strings.TrimSpace(metric)
	if metric == "" || strings.Trim(metric, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return metric, nil, false
	}
	if !tagged {
		return metric, nil, true
	}
	rest, closed := strings.CutSuffix(strings.TrimSpace(rest), "}")
	if !closed || strings.Contains(rest, "\"\"\"") {
		return metric, nil, false
	}
	tags = map[string]string{}
	for item := range strings.SplitSeq(rest, ",") {
		k, v, ok := strings.Cut(item, ":")
		if k = strings.TrimSpace(k); !ok || k == "" {
			return metric, nil, false
		}
		tags[k] = strings.Trim(strings.TrimSpace(v), `"'`)
	}
	return metric, tags, true
}

// Text is the threshold in perfctl's grammar. What has tags is a metric of its
// own, with the tags in its name.
func (t *Threshold) Text() string {
	switch {
	case t.Tags != nil:
		return `"` + t.Name() + `": ` + t.Condition
	case t.Metric == "dropped_iterations":
		return "arrivals_dropped: " + t.Condition
	}
	return t.Metric + ": " + t.Condition
}

// Name is the metric that the threshold is about: where it has tags, a metric of
// its own with them in its name.
func (t *Threshold) Name() string {
	if t.Tags == nil {
		return t.Metric
	}
	var b strings.Builder
	b.WriteString(t.Metric)
	sep := byte('{')
	for _, k := range keys(t.Tags) {
		b.WriteByte(sep)
		b.WriteString(k + ":" + strings.ReplaceAll(t.Tags[k], `"`, "'"))
		sep = ','
	}
	if sep == '{' {
		b.WriteByte(sep)
	}
	b.WriteByte('}')
	return b.String()
}
