package bundle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/perfctl/perfctl/internal/scenarios/script/jslib"
	"github.com/perfctl/perfctl/internal/suggest"
)

// space is esbuild's namespace of the modules below.
const space = "k6"

// exports are the modules that scripts may import and the names that each has.
var exports = map[string][]string{
	"k6": {"check", "fail", "group", "randomSeed", "sleep"},
	"k6/http": {"asyncRequest", "batch", "cookieJar", "CookieJar", "del", "expectedStatuses", "file", "FileData", "get", "head", "options",
		"patch", "post", "put", "request", "setResponseCallback", "url",
		"TLS_1_0", "TLS_1_1", "TLS_1_2", "TLS_1_3"},
	"k6/metrics":   {"Counter", "Gauge", "Rate", "Trend"},
	"k6/data":      {"SharedArray"},
	"k6/encoding":  {"b64decode", "b64encode"},
	"k6/crypto":    {"createHash", "createHMAC", "hexEncode", "hmac", "md4", "md5", "randomBytes", "ripemd160", "sha1", "sha256", "sha384", "sha512", "sha512_224", "sha512_256"},
	"k6/execution": {"instance", "scenario", "test", "vu"},
	"k6/html":      {"parseHTML", "Selection", "Element"},
	"k6/timers":    {"clearInterval", "clearTimeout", "setInterval", "setTimeout"},
	// As they were called before.
	"k6/experimental/timers":    {"clearInterval", "clearTimeout", "setInterval", "setTimeout"},
	"k6/experimental/webcrypto": {"crypto"},
	"k6/experimental/redis":     {"Client"},
	"k6/x/redis":                {"Client"},
	"k6/x/sql":                  {"exec", "open", "query"},
	"k6/x/sql/driver/postgres":  {},
	"k6/x/amqp":                 {"listen", "publish", "start", "version"},
	"k6/x/amqp/queue":           {"bind", "declare", "delete", "inspect", "purge", "unbind"},
	"k6/x/amqp/exchange":        {"bind", "declare", "delete", "unbind"},
	// As they were called before.
	"k6/x/amqp/queues":    {"bind", "declare", "delete", "inspect", "purge", "unbind"},
	"k6/x/amqp/exchanges": {"bind", "declare", "delete", "unbind"},
}

// inside are names that a module has as a default export only.
var namesOnly = map[string]bool{"k6/http.FileData": true, "k6/html.Element": true}

// refused are modules of k6 that perfctl has not, with what to use instead. A
// name that ends in / stands for all below it.
var refused = [][2]string{
	{"k6/browser", "perfctl drives no browser: keep such a script with k6, and load the HTTP requests behind the pages here"},
	{"k6/experimental/browser", "perfctl drives no browser: keep such a script with k6, and load the HTTP requests behind the pages here"},
	{"k6/ws", "perfctl speaks no WebSocket"},
	{"k6/websockets", "perfctl speaks no WebSocket"},
	{"k6/experimental/websockets", "perfctl speaks no WebSocket"},
	{"k6/net/grpc", "perfctl speaks no gRPC"},
	{"k6/experimental/grpc", "perfctl speaks no gRPC"},
	{"k6/x/sql/driver/", "perfctl speaks PostgreSQL: import k6/x/sql/driver/postgres"},
	{"k6/secrets", "hand secrets over as variables: -e NAME=VALUE or --env-file, and __ENV.NAME"},
	{"k6/experimental/csv", "use papaparse with open and a SharedArray"},
	{"k6/experimental/fs", "use open, which reads a file once for all users"},
	{"k6/x/", "perfctl has no extensions of k6"},
	{"k6/experimental/", "perfctl has no experimental modules of k6"},
	{"k6/", "perfctl has no such module"},
}

// modules resolves the modules of k6, and the helpers that scripts import by URL.
func (p *Program) modules() api.Plugin {
	return api.Plugin{Name: "modules", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: `^k6(/|$)`}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			if exports[a.Path] == nil {
				return api.OnResolveResult{}, fmt.Errorf("import of %q: %s", a.Path, instead(a.Path))
			}
			p.Imports[a.Path] = true
			return api.OnResolveResult{Path: a.Path, Namespace: space}, nil
		})
		b.OnResolve(api.OnResolveOptions{Filter: `^(https?:)?//|^(jslib\.k6\.io|cdnjs\.com|github\.com)/`}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			name, ok := jslib.Find(a.Path)
			if !ok {
				return api.OnResolveResult{}, fmt.Errorf("import of %q: nothing is downloaded. Put the file beside the script and import it as ./FILE.js", a.Path)
			}
			return api.OnResolveResult{Path: name, Namespace: "jslib"}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: space}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			text := shim(a.Path)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "jslib"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			text := jslib.Source(a.Path)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
	}}
}

// shim is a module's source: names that point into the runtime's own objects, so
// that a call costs no look-up, and a name that is not there is found now.
func shim(module string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "const m = %s[%q];\n", Modules, module)
	for _, name := range exports[module] {
		switch {
		case namesOnly[module+"."+name]:
		case name == "delete": // a word of the language, which no constant may be called
			b.WriteString("const remove = m.delete;\nexport { remove as delete };\n")
		default:
			fmt.Fprintf(&b, "export const %s = m.%s;\n", name, name)
		}
	}
	b.WriteString("export default m;\n")
	return b.String()
}

func instead(module string) string {
	if near, ok := suggest.Nearest(module, Names()); ok && !strings.HasPrefix(module, "k6/x/") {
		return fmt.Sprintf("no such module; did you mean %q?", near)
	}
	for _, r := range refused {
		if module == r[0] || strings.HasSuffix(r[0], "/") && strings.HasPrefix(module, r[0]) {
			return r[1]
		}
	}
	return "perfctl has no such module"
}

// missing says what a name that a module has not may have been meant for.
func missing(module, name string) string {
	if near, ok := suggest.Nearest(name, exports[module]); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; there are " + strings.Join(exports[module], ", ")
}

// Names are the modules of k6 that a script may import.
func Names() []string {
	out := make([]string, 0, len(exports))
	for name := range exports {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
