package request

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
)

// Cookies are what servers have set and get back, as a browser does it (RFC 6265):
// those of one arrival, or of the set-up, which every arrival begins with. The zero
// Cookies are ready for use.
type Cookies struct {
	jar *cookiejar.Jar // nil as long as there are none
	set []cookies      // in the order in which they came
}

type cookies struct {
	of   *url.URL
	list []*http.Cookie
}

// Begin forgets every cookie but those that from holds, which may be nil.
func (c *Cookies) Begin(from *Cookies) {
	c.jar, c.set = nil, c.set[:0]
	if from == nil {
		return
	}
	for _, s := range from.set {
		c.add(s.of, s.list)
	}
}

func (c *Cookies) add(of *url.URL, list []*http.Cookie) {
	if len(list) == 0 {
		return
	}
	if c.jar == nil {
		c.jar, _ = cookiejar.New(nil) // fails for options only
	}
	c.jar.SetCookies(of, list)
	c.set = append(c.set, cookies{of, list})
}

// header returns the request's headers with the cookies that belong to it. A cookie
// that the request gives itself comes first, and the jar's of that name is left out.
func (c *Cookies) header(of *url.URL, h http.Header) http.Header {
	if c.jar == nil {
		return h
	}
	list := c.jar.Cookies(of)
	if len(list) == 0 {
		return h
	}
	h = h.Clone()
	if h == nil {
		h = http.Header{}
	}
	own := (&http.Request{Header: h}).Cookies()
	line := h.Get("Cookie")
	for _, x := range list {
		given := false
		for _, o := range own {
			given = given || o.Name == x.Name
		}
		if given {
			continue
		}
		if line != "" {
			line += "; "
		}
		line += x.Name + "=" + x.Value
	}
	h.Set("Cookie", line)
	return h
}

// CookieGroup are cookies that one answer set, in a form that another process can take
// over.
type CookieGroup struct {
	URL string `json:"url"`
	// Lines are the values of Set-Cookie.
	Lines []string `json:"lines"`
}

// Groups returns the cookies for another process; nil where there are none.
func (c *Cookies) Groups() (out []CookieGroup) {
	if c == nil {
		return nil
	}
	for _, s := range c.set {
		g := CookieGroup{URL: s.of.String()}
		for _, x := range s.list {
			g.Lines = append(g.Lines, x.String())
		}
		out = append(out, g)
	}
	return out
}

// CookiesOf returns the cookies that Groups returned elsewhere.
func CookiesOf(groups []CookieGroup) *Cookies {
	c := &Cookies{}
	for _, g := range groups {
		of, err := url.Parse(g.URL)
		if err != nil {
			continue // Groups wrote it
		}
		c.add(of, (&http.Response{Header: http.Header{"Set-Cookie": g.Lines}}).Cookies())
	}
	return c
}
