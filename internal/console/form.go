package console

import (
	"cmp"
	"crypto/subtle"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/seal"
)

// form is a posted form, and what is wrong with it.
type form struct {
	url.Values
	Errors map[string]string // sentence per field
	Note   string            // sentence about the form as a whole
	First  string            // the field that gets the focus

	rq *request
}

// fields maps an operation's field to the form's field that carries it.
type fields map[string]string

// readForm parses the body of a POST. One that is too long or no form is refused
// as a whole: half a form must not pass for one that was filled in so.
func (rq *request) readForm() error {
	rq.posted = &form{Values: url.Values{}, Errors: map[string]string{}, rq: rq}
	if rq.r.Method != http.MethodPost {
		return nil
	}
	if err := rq.r.ParseForm(); err != nil {
		return fault.Of(fault.Invalid, "form", "")
	}
	if kind, _, _ := mime.ParseMediaType(rq.r.Header.Get("Content-Type")); rq.route.Upload && kind == "multipart/form-data" {
		if err := rq.r.ParseMultipartForm(maxUpload); err != nil { // all of it in memory: no file is written
			return fault.Of(fault.Invalid, "form", "")
		}
	}
	rq.posted.Values = rq.r.PostForm
	return nil
}

// form is what was posted; of a GET it is empty.
func (rq *request) form() *form { return rq.posted }

// fill gives a form that was not posted its values.
func (f *form) fill(pairs ...string) *form {
	if f.rq.r.Method != http.MethodPost {
		for i := 0; i+1 < len(pairs); i += 2 {
			f.Set(pairs[i], pairs[i+1])
		}
	}
	return f
}

// text is a field without the space around it.
func (f *form) text(name string) string { return strings.TrimSpace(f.Get(name)) }

// secret is a field that must not be shown again. Spaces are part of it.
func (f *form) secret(name string) seal.Secret { return seal.NewSecret([]byte(f.Get(name))) }

// wrong says what is wrong with a field.
func (f *form) wrong(field, key string, args ...any) {
	f.mark(field, f.rq.t(key, args...))
}

func (f *form) mark(field, sentence string) {
	f.Errors[field] = sentence
	if f.First == "" {
		f.First = field
	}
}

// bad reports whether anything is wrong.
func (f *form) bad() bool { return len(f.Errors) > 0 || f.Note != "" }

// need marks the fields that are empty and reports whether none is.
func (f *form) need(names ...string) bool {
	for _, n := range names {
		if f.Get(n) == "" {
			f.wrong(n, "form.required")
		}
	}
	return !f.bad()
}

// again shows the form once more with what is wrong. A fault that is not about
// the input is returned as it is.
func (f *form) again(err error, at fields, show func() error) error {
	if err != nil && !f.blame(err, at) {
		return err
	}
	f.rq.status = http.StatusUnprocessableEntity
	if fault.Is(err, fault.Throttled) {
		f.rq.busy(err)
	}
	return show()
}

// blame turns a fault into a sentence at its field, or at the form. It reports
// whether the fault is about the input at all.
func (f *form) blame(err error, at fields) bool {
	var e *fault.Error
	if !errors.As(err, &e) || !aboutInput(err, e) {
		return false
	}
	sentence := f.rq.sentence(e)
	for _, key := range []string{e.Name, e.Noun, "*"} {
		if field := at[key]; field != "" {
			f.mark(field, sentence)
			return true
		}
	}
	f.Note = sentence
	return true
}

// aboutInput tells the faults that the person at the form can mend there.
func aboutInput(err error, e *fault.Error) bool {
	switch e.Kind {
	case fault.Invalid, fault.Malformed, fault.WeakPassword, fault.Exists, fault.Conflict, fault.BadCode, fault.Limit, fault.Throttled, fault.Unmodifiable:
		return true
	case fault.Denied:
		return e.Noun != "" && !byPolicy(err)
	case fault.NotFound:
		return e.Noun != ""
	}
	return false
}

// fieldToken is the name of the token's field in sign-in forms.
const fieldToken = "token"

// token is the browser's half of the tokens in sign-in forms, which is also what
// they hold: the cookie cannot be read or planted by another site, so a form
// that repeats it came from a page of ours (H-1).
func (rq *request) token() (string, error) {
	t := cmp.Or(rq.formToken, rq.cookie(cookieForm))
	if len(t) == 22 {
		return t, nil
	}
	t, err := rq.c.random()
	if err == nil {
		rq.formToken = t
		rq.setCookie(cookieForm, t, 0)
	}
	return t, err
}

// checkToken refuses a sign-in form without the browser's token.
func (rq *request) checkToken() error {
	want, got := rq.cookie(cookieForm), rq.form().Get(fieldToken)
	if want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(got)) != 1 {
		return errStaleForm
	}
	return nil
}
