package console

import "slices"

var themes = []string{"light", "dark"}

// oneOfThemes keeps what a cookie or form says of the theme to what there is;
// "" follows the system.
func oneOfThemes(s string) string {
	if slices.Contains(themes, s) {
		return s
	}
	return ""
}

// setPreferences keeps language or theme for this browser.
func setPreferences(rq *request) error {
	f := rq.form()
	if l := f.Get("lang"); languages[l] != nil {
		rq.setCookie(cookieLang, l, preferenceLife)
	}
	if f.Has("theme") {
		if t := oneOfThemes(f.Get("theme")); t != "" {
			rq.setCookie(cookieTheme, t, preferenceLife)
		} else {
			rq.dropCookie(cookieTheme)
		}
	}
	return rq.redirect(local(f.Get("next")))
}
