package faults

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/suggest"
)

// NamePattern is the form of names.
const NamePattern = `^[A-Za-z][A-Za-z0-9_-]{0,63}$`

var nameForm = regexp.MustCompile(NamePattern)

// kinds are the kinds with what may follow each.
var kinds = map[Kind]struct {
	// argument reads what must follow, nil for nothing; want says what that is.
	argument func(*Fault, string) error
	want     string
	// directed says that a direction may follow, toward which it is where none does,
	// empty where one must.
	directed bool
	toward   Direction
	// on are the targets to whose servers it is done; none where it is done to
	// connections.
	on []string
	// once says that it is done at once, and lasts no time of its own.
	once bool
}{
	Delay:     {argument: delay, want: "a time, as in delay 50ms or delay 50ms±20ms", directed: true, toward: Down},
	Bandwidth: {argument: byteRate, want: "bytes a second, as in bandwidth 100kB/s", directed: true, toward: Both},
	SlowStart: {argument: byteRate, want: "bytes a second, as in slow-start 1kB/s", directed: true, toward: Both},
	Cut:       {argument: byteCount, want: "a number of bytes, as in cut 10kB"},
	Partition: {directed: true},
	Refuse:    {}, Reset: {}, BlackHole: {}, HalfOpen: {},
	Pause: {on: servers}, Kill: {on: servers}, Stop: {on: servers},
	DiskFull:        {on: []string{"rabbitmq", "postgres"}},
	MemoryAlarm:     {on: []string{"rabbitmq", "redis"}},
	ConnectionLimit: {argument: connectionLimit, want: "how many connections are left, as in connection-limit 5", on: servers},
	FlushAll:        {on: []string{"redis"}, once: true},
	ReadOnly:        {on: []string{"postgres", "redis"}},
}

// servers are the targets that a lab has servers of.
var servers = []string{"rabbitmq", "postgres", "redis"}

// onceLasts is how long what is done at once is in force where nobody says: the
// second that it is seen in.
const onceLasts = time.Second

// Kinds returns the names of the kinds that are done to connections, in their order.
func Kinds() []string {
	return []string{string(Delay), string(Bandwidth), string(SlowStart), string(Refuse), string(Reset), string(BlackHole),
		string(HalfOpen), string(Cut), string(Partition)}
}

// ServerKinds returns the names of the kinds that are done to servers of a lab.
func ServerKinds() []string {
	return []string{string(Pause), string(Kill), string(Stop), string(DiskFull), string(MemoryAlarm), string(ConnectionLimit),
		string(FlushAll), string(ReadOnly)}
}

// Servers returns the targets to whose servers a kind is done.
func (k Kind) Servers() []string { return slices.Clone(kinds[k].on) }

// MaxTime bounds the times of a fault, MaxBytes its sizes.
const (
	MaxTime  = 1000 * time.Hour
	MaxBytes = 1e15
	// MaxLimit bounds a limit of connections.
	MaxLimit = 100_000
)

// Parse reads a fault as it is written on a command line:
//
//	fault = [ name "=" ] target [ "@" endpoint ] ":" kind [ argument ] [ "up" | "down" | "both" ]
//	        [ "share" number "%" ] [ "at" time ] [ "for" time ]
//
// as in "redis: delay 50ms±20ms at 30s for 20s". The error names the column, in
// characters, and the nearest valid word.
func Parse(text string) (Fault, error) {
	p := parser{text: text}
	f, err := p.fault()
	if err != nil {
		return Fault{}, fmt.Errorf("fault %q, column %d: %w", text, utf8.RuneCountInString(text[:p.at])+1, err)
	}
	return f, nil
}

// ParseKind reads what is done, without target and times, into a fault: "delay
// 50ms±20ms down share 30%".
func ParseKind(text string, into *Fault) error {
	p := parser{text: text}
	if err := p.does(into, false); err != nil {
		return fmt.Errorf("%w (column %d)", err, utf8.RuneCountInString(text[:p.at])+1)
	}
	return nil
}

// SetTarget reads a target, with an endpoint behind an @, into a fault.
func (f *Fault) SetTarget(text string) error {
	f.Target, f.Endpoint, _ = strings.Cut(text, "@")
	switch {
	case !slices.Contains(Targets, f.Target):
		return fmt.Errorf("unknown target %q%s", f.Target, near(f.Target, Targets))
	case strings.HasSuffix(text, "@"):
		return errors.New("want the name or host:port of an endpoint behind the @")
	case strings.ContainsAny(f.Endpoint, " \t:") && !strings.Contains(f.Endpoint, ":"):
		return fmt.Errorf("%q is no endpoint", f.Endpoint)
	}
	return nil
}

// Complete gives a fault that was put together its name and checks it.
func (f *Fault) Complete() error {
	switch on := kinds[f.Kind].on; {
	case f.Kind == Command:
		if f.Endpoint != "" || f.Share != 0 {
			return errors.New("a command has neither endpoint nor share: the command itself says where it is done")
		}
		if strings.TrimSpace(f.Run) == "" || strings.TrimSpace(f.Undo) == "" {
			return errors.New("a command needs run, which breaks something, and undo, which mends it")
		}
	case f.Run != "" || f.Undo != "":
		return fmt.Errorf("%s has no commands: leave kind out where run and undo say what is done", f.Kind)
	case len(on) > 0 && (!slices.Contains(on, f.Target) || f.Endpoint != "" || f.Share != 0):
		return fmt.Errorf("%s is done to the one server of a lab: %s, without endpoint and share", f.Kind, strings.Join(on, " or "))
	case kinds[f.Kind].once && f.For == 0:
		f.For = onceLasts
	}
	if f.Share == 0 {
		f.Share = 1
	}
	if f.Name != "" && !nameForm.MatchString(f.Name) {
		return fmt.Errorf("%q is no name: a name is a letter followed by up to 63 letters, digits, - and _", f.Name)
	}
	f.named()
	return nil
}

type parser struct {
	text string
	at   int // where the word begins that was taken last
	next int
}

// word takes the next word, empty at the end.
func (p *parser) word() string {
	for p.next < len(p.text) && (p.text[p.next] == ' ' || p.text[p.next] == '\t') {
		p.next++
	}
	p.at = p.next
	for p.next < len(p.text) && p.text[p.next] != ' ' && p.text[p.next] != '\t' {
		p.next++
	}
	return p.text[p.at:p.next]
}

func (p *parser) fault() (f Fault, err error) {
	// An endpoint may hold colons: that which ends the target has a space, or the end,
	// behind it.
	end := -1
	for i := range len(p.text) {
		if p.text[i] == ':' && (i+1 == len(p.text) || p.text[i+1] == ' ' || p.text[i+1] == '\t') {
			end = i
			break
		}
	}
	if end < 0 {
		return f, errors.New("want a target and what is done to it, as in redis: delay 50ms at 30s for 20s")
	}
	left := p.text[:end]
	name, target, isNamed := strings.Cut(left, "=")
	if !isNamed {
		name, target = "", left
	} else if name = strings.TrimSpace(name); !nameForm.MatchString(name) {
		return f, fmt.Errorf("%q is no name: a name is a letter followed by up to 63 letters, digits, - and _", name)
	}
	f.Name = name
	p.at = len(left) - len(strings.TrimLeft(target, " \t"))
	if err := f.SetTarget(strings.TrimSpace(target)); err != nil {
		return f, err
	}
	p.next = end + 1
	if err := p.does(&f, true); err != nil {
		return f, err
	}
	return f, f.Complete()
}

// does reads a kind and what follows it; times says whether times may.
func (p *parser) does(f *Fault, times bool) error {
	word := p.word()
	f.Kind = Kind(word)
	kind, known := kinds[f.Kind]
	if f.Kind == Command {
		return errors.New("a command is written in a profile, as the run and the undo of a fault, without a kind")
	}
	if !known {
		return fmt.Errorf("unknown kind of fault %q%s", word, near(word, append(Kinds(), ServerKinds()...)))
	}
	f.Toward = kind.toward
	if kind.argument != nil {
		argument := p.word()
		if argument == "after" && f.Kind == Cut {
			argument = p.word()
		}
		if err := kind.argument(f, argument); err != nil {
			return fmt.Errorf("%w: want %s", err, kind.want)
		}
	}
	for word = p.word(); word != ""; word = p.word() {
		if err := p.extra(f, word, kind.directed, times); err != nil {
			return err
		}
	}
	if kind.directed && f.Toward == "" || f.Kind == Partition && f.Toward == Both {
		return fmt.Errorf("%s needs one direction: up (to the server) or down (to the client)", f.Kind)
	}
	return nil
}

// extra reads a word behind the kind and its argument, with what belongs to it.
func (p *parser) extra(f *Fault, word string, directed, times bool) (err error) {
	words := []string{"share"}
	if f.Kind.OnServer() {
		words = nil
	}
	if directed {
		words = append(words, string(Up), string(Down), string(Both))
	}
	if times {
		words = append(words, "at", "for")
	}
	if !slices.Contains(words, word) {
		return fmt.Errorf("unknown word %q%s", word, near(word, words))
	}
	switch word {
	case "share":
		f.Share, err = ParseShare(p.word())
	case "at":
		f.At, err = parseTime(p.word(), 0)
	case "for":
		f.For, err = parseTime(p.word(), time.Millisecond)
	default:
		f.Toward = Direction(word)
	}
	return err
}

// ParseShare reads a share of connections: 30% or 0.3.
func ParseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v <= 1) {
		return 0, fmt.Errorf("%q is no share of connections: want more than 0%% and up to 100%%, as in share 30%%", text)
	}
	return v, nil
}

func parseTime(text string, least time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < least || d > MaxTime {
		return 0, fmt.Errorf("%q is no time of %v or more, such as 30s or 1m30s", text, least)
	}
	return d, nil
}

func delay(f *Fault, text string) error {
	mean, jitter, has := strings.Cut(text, "±")
	if !has {
		mean, jitter, has = strings.Cut(text, "+-")
	}
	var err error
	if f.Delay, err = parseTime(mean, 0); err != nil {
		return err
	}
	if has {
		if f.Jitter, err = parseTime(jitter, 0); err != nil {
			return err
		}
	}
	switch {
	case f.Jitter > f.Delay:
		return fmt.Errorf("a jitter of %v is more than the delay of %v", f.Jitter, f.Delay)
	case f.Delay == 0:
		return errors.New("a delay of 0 is none")
	}
	return nil
}

func byteRate(f *Fault, text string) (err error) {
	size, ok := strings.CutSuffix(text, "/s")
	if !ok {
		return fmt.Errorf("%q has no /s behind it", text)
	}
	f.Rate, err = parseSize(size)
	return err
}

func byteCount(f *Fault, text string) error {
	n, err := parseSize(text)
	f.Bytes = int64(n)
	return err
}

func connectionLimit(f *Fault, text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > MaxLimit {
		return fmt.Errorf("%q is no number from 0 to %d", text, MaxLimit)
	}
	f.Limit = n
	return nil
}

func parseSize(text string) (float64, error) {
	for _, u := range sizes {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || math.IsNaN(n) || n*u.of < 1 || n*u.of > MaxBytes {
			break
		}
		return n * u.of, nil
	}
	return 0, fmt.Errorf("%q is no size such as 500B, 100kB or 1MB", text)
}

func near(word string, choices []string) string {
	if n, ok := suggest.Nearest(word, choices); ok {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return "; there are " + strings.Join(choices, ", ")
}
