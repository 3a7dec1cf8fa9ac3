package console

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"warifu/internal/testkit"
)

// site is a console on a world, and a browser that keeps its cookies.
type site struct {
	*testkit.World
	con     *Console
	cookies map[string]string
	lang    string
	agent   string // what the browser calls itself
}

const origin = "https://warifu.example"

func open(t testing.TB) *site {
	t.Helper()
	w := testkit.New(t)
	return &site{World: w, con: consoleOf(t, w, origin), cookies: map[string]string{}}
}

func consoleOf(t testing.TB, w *testkit.World, at string) *Console {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	con, err := New(Config{
		Ops: w.Server, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), URL: u, Rand: w.Rand, Version: "test",
		Client: func(*http.Request) (netip.Addr, string, bool) { return netip.MustParseAddr("192.0.2.7"), "", true },
	})
	if err != nil {
		t.Fatal(err)
	}
	return con
}

// do sends a request as a browser would and keeps the cookies.
func (s *site) do(r *http.Request) *httptest.ResponseRecorder {
	for k, v := range s.cookies {
		r.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	if s.lang != "" {
		r.Header.Set("Accept-Language", s.lang)
	}
	if s.agent != "" {
		r.Header.Set("User-Agent", s.agent)
	}
	w := httptest.NewRecorder()
	s.con.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(s.cookies, c.Name)
		} else {
			s.cookies[c.Name] = c.Value
		}
	}
	return w
}

func (s *site) get(path string) *httptest.ResponseRecorder {
	return s.do(httptest.NewRequest("GET", origin+path, nil))
}

func (s *site) post(path string, pairs ...string) *httptest.ResponseRecorder {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	if !v.Has(fieldToken) {
		v.Set(fieldToken, s.cookies["__Host-"+cookieForm])
	}
	r := httptest.NewRequest("POST", origin+path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return s.do(r)
}

func TestDesignPageRendersInEveryLanguage(t *testing.T) {
	s := open(t)
	for code, l := range languages {
		s.cookies["__Host-"+cookieLang] = code
		w := s.get("/console/design")
		if w.Code != 200 || !strings.Contains(w.Body.String(), l.texts["design.title"].other) || !strings.Contains(w.Body.String(), `lang="`+l.tag+`"`) {
			t.Errorf("%s: %d\n%s", code, w.Code, w.Body)
		}
	}
}
