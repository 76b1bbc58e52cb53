package exemplars

// The phases of an arrival.
const (
	// Generator is from due until the generator had come to it, Worker the wait for a
	// worker, which are bounded by -u.
	Generator = "generator"
	Worker    = "worker"
	// Pool is the wait for a connection or a channel, DNS asking for the addresses of a
	// name, Connect and TLS opening one.
	Pool    = "pool"
	DNS     = "dns"
	Connect = "connect"
	TLS     = "tls"
	// Send is writing requests, Server waiting for answers, Receive reading them.
	Send    = "send"
	Server  = "server"
	Receive = "receive"
	// Own is what is left: the generator's own work between operations, and operations
	// that were not noted.
	Own = "own"
)

// PhaseNames lists the phases in their order.
var PhaseNames = []string{Generator, Worker, Pool, DNS, Connect, TLS, Send, Server, Receive, Own}

// PhaseTexts says in a few words what each phase is.
var PhaseTexts = map[string]string{
	Generator: "until the generator came to it", Worker: "wait for a worker (-u)", Pool: "wait for a connection", DNS: "asking the name server", Connect: "opening a connection",
	TLS: "TLS handshake", Send: "writing the request", Server: "waiting for the answer", Receive: "reading the answer", Own: "in the generator",
}

// Phases returns how long an arrival was in each phase, in milliseconds. Their sum is
// its response time.
func (e *Exemplar) Phases() map[string]float64 {
	out := map[string]float64{Generator: max(e.Released, 0), Worker: max(e.Started-e.Released, 0)}
	for i := range e.Ops {
		o := &e.Ops[i]
		out[Pool] += o.Wait
		if o.Lookup > 0 {
			out[DNS] += o.Lookup
		}
		out[Connect] += o.Connect
		out[TLS] += o.TLS
		out[Send] += o.Send
		out[Server] += o.Server
		out[Receive] += o.Receive
	}
	rest := e.Response
	for _, v := range out {
		rest -= v
	}
	out[Own] = max(rest, 0)
	return out
}
