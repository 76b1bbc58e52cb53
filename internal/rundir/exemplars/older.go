package exemplars

import "strings"

// Records of a version before this one said some things in their texts alone. What they
// said is read from there here, and nowhere else.

// older fills what evidence of a version before this one lacks.
func (v *Evidence) older() {
	switch {
	case v.Kind == Waits && v.Waited == "": // "TYPE EVENT, in: STATEMENT"
		v.Waited, _, _ = strings.Cut(v.What, ", in: ")
		v.Disk = strings.HasPrefix(v.Waited, "IO ") || strings.HasPrefix(v.Waited, "LWLock WAL") || v.Waited == "the disk"
	case v.Kind == Command && v.Command == "": // "COMMAND WORD WORD … took N ms"
		name, _, _ := strings.Cut(v.What, " ")
		v.Command = strings.ToUpper(name)
	}
}

// older fills what operations of a version before this one lack: the request of a publish
// began with that word, and no other's of RabbitMQ did.
func (e *Exemplar) older() {
	for i := range e.Ops {
		if o := &e.Ops[i]; o.Role == "" && o.System == "rabbitmq" && strings.HasPrefix(o.Request, "publish") {
			o.Role = Publishes
		}
	}
}
