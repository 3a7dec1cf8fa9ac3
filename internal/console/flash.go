package console

import (
	"net/url"
	"strings"
	"time"
)

// flash is what the next page says once: the key of a text and its arguments.
// The cookie can hold nothing but texts of ours.
type flash struct {
	key  string
	args []any
}

// flashLife is how long a text waits for its page.
const flashLife = time.Minute

const flashPrefix = "flash."

// say has the next page say a text whose key begins with "flash."; those that
// begin with "flash.note." tell of something that did not happen.
func (rq *request) say(key string, args ...any) {
	v := url.Values{"k": {strings.TrimPrefix(key, flashPrefix)}}
	for _, a := range args {
		if s, ok := a.(string); ok {
			v.Add("a", s)
		}
	}
	rq.setCookie(cookieFlash, url.QueryEscape(v.Encode()), flashLife)
}

// hear takes what the page before left to say.
func (rq *request) hear() flash {
	raw := rq.cookie(cookieFlash)
	if raw == "" {
		return rq.note
	}
	rq.dropCookie(cookieFlash)
	text, err := url.QueryUnescape(raw)
	if err != nil {
		return rq.note
	}
	v, err := url.ParseQuery(text)
	if err != nil || !rq.lang.has(flashPrefix+v.Get("k")) {
		return rq.note
	}
	f := flash{key: flashPrefix + v.Get("k")}
	for _, a := range v["a"] {
		f.args = append(f.args, a)
	}
	return f
}
