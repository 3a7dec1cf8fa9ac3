package console

import (
	"net/http"
	"time"

	"warifu/internal/seal"
)

// The cookies. Behind https each has the prefix __Host-, so that neither a
// neighbouring subdomain nor plain http can plant one. A server on plain http,
// for localhost, uses the bare names: browsers refuse the prefix there.
const (
	cookieSession = "warifu_session" // a session's secret
	cookieFlow    = "warifu_signin"  // a sign-in's under way: never good for a session (S-1)
	cookieForm    = "warifu_form"    // the browser's half of the tokens in sign-in forms
	cookieFlash   = "warifu_flash"   // what to say on the next page
	cookieLang    = "warifu_lang"    // chosen language
	cookieTheme   = "warifu_theme"   // light or dark, when chosen
	cookieAccount = "warifu_account" // number and name of the account signed in to last
	cookieBrowser = "warifu_browser" // by which a browser is known that users signed in with: it proves nothing
	cookieMemory  = "warifu_memory"  // of a browser that stands in for somebody's second factor
)

// preferenceLife is how long a browser remembers language, theme
// and account.
const preferenceLife = 400 * 24 * time.Hour // the longest that browsers keep a cookie

func (c *Console) cookieName(name string) string {
	if c.secure {
		return "__Host-" + name
	}
	return name
}

// cookie reads a cookie; "" when there is none.
func (rq *request) cookie(name string) string {
	k, err := rq.r.Cookie(rq.c.cookieName(name))
	if err != nil {
		return ""
	}
	return k.Value
}

// secretCookie is a cookie whose value is a secret; empty when there is none.
func (rq *request) secretCookie(name string) seal.Secret {
	return seal.NewSecret([]byte(rq.cookie(name)))
}

// setCookie sets a cookie for life, or for as long as the browser runs when life
// is zero.
func (rq *request) setCookie(name, value string, life time.Duration) {
	http.SetCookie(rq.w, &http.Cookie{
		Name: rq.c.cookieName(name), Value: value, Path: "/", MaxAge: int(life / time.Second),
		Secure: rq.c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (rq *request) dropCookie(name string) {
	if rq.cookie(name) == "" {
		return
	}
	http.SetCookie(rq.w, &http.Cookie{
		Name: rq.c.cookieName(name), Path: "/", MaxAge: -1, Secure: rq.c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
