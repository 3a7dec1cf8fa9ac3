package sigv4

import (
	"errors"
	"testing"
	"time"
)

func TestForS3(t *testing.T) {
	for _, c := range []struct {
		err    error
		code   string
		status int
	}{
		{missing(), "AccessDenied", 403},
		{ambiguous(), "InvalidArgument", 400},
		{incomplete("x"), "AuthorizationHeaderMalformed", 400},
		{outOfScope([]string{"x"}), "AuthorizationHeaderMalformed", 400},
		{tooOld(now, now.Add(time.Hour), DefaultMaxSkew), "RequestTimeTooSkewed", 403},
		{expired(), "AccessDenied", 403},
		{unsignedHost(), "AccessDenied", 403},
		{mismatch(), "SignatureDoesNotMatch", 403},
		{ErrUnknownKey(), "InvalidAccessKeyId", 403},
		{ErrExpiredToken(), "ExpiredToken", 400},
		{badQuery("x"), "InvalidURI", 400},
		{errChunk(), "IncompleteBody", 400},
	} {
		got, ok := ForS3(c.err).(*Error)
		if !ok || got.Code != c.code || got.Status != c.status || got.Reason != reason(c.err) || got.Message == "" {
			t.Errorf("%v becomes %+v, want %d %s", c.err, got, c.status, c.code)
		}
		if s, again := c.err.(*Error), ForS3(c.err); again == error(s) {
			t.Errorf("%v was changed in place", c.err)
		}
	}
	if other := errors.New("x"); ForS3(other) != other {
		t.Error("a foreign error was changed")
	}
	if ForS3(nil) != nil {
		t.Error("nil became an error")
	}
}
