package console

import (
	"html/template"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/iam"
	"warifu/internal/ops"
)

// securityFuncs are what the templates of the Security page say things with.
func (l *language) securityFuncs() template.FuncMap {
	return template.FuncMap{
		"browser":      l.browser,
		"program":      l.program,
		"event":        l.event,
		"result":       l.result,
		"notice":       l.notice,
		"noticeIcon":   noticeIcon,
		"recoveryKind": recoveryKind,
		"proved":       func(s iam.Session) bool { _, ok := s.Last(true); return ok },
		"older":        func(t, now time.Time, days int) bool { return now.Sub(t) > time.Duration(days)*24*time.Hour },
		"mfaBadge": func(n int) Badge {
			if n == 0 {
				return Badge{Label: l.text("mfa.none.badge"), Kind: "warn"}
			}
			return Badge{Label: l.text("mfa.some.badge"), Kind: "good"}
		},
		"mfaKind": func(n int) string { // the first device is the thing to do
			if n == 0 {
				return "primary"
			}
			return ""
		},
	}
}

// browser names a browser in words.
func (l *language) browser(userAgent string) string {
	b, s := iam.Agent(userAgent)
	switch {
	case b != "" && s != "":
		return l.text("sessions.browser", "browser", b, "system", s)
	case b != "":
		return b
	case s != "":
		return s
	}
	return l.text("sessions.unknown")
}

// program names a command line: its name and version, which come first in what it
// says of itself.
func (l *language) program(userAgent string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(userAgent), " ")
	if first == "" || strings.HasPrefix(first, "Mozilla/") {
		return l.browser(userAgent)
	}
	return short(60, first)
}

// event says what an operation was; one without a text goes by its name.
func (l *language) event(operation string) string {
	if key := "event." + operation; l.has(key) {
		return l.text(key)
	}
	return operation
}

func (l *language) result(r audit.Result) Badge {
	kind := map[audit.Result]string{audit.Allowed: "good", audit.Refused: "bad", audit.Failed: "warn"}[r]
	return Badge{Label: l.text("activity." + string(r)), Kind: kind}
}

// notice says what a person is told.
func (l *language) notice(n iam.Notice) string {
	return l.text("notice."+strings.ReplaceAll(string(n.Kind), " ", "-"), "subject", n.Subject)
}

func noticeIcon(k iam.NoticeKind) string {
	switch k {
	case iam.NoticeFactorBound, iam.NoticeFactorRemoved:
		return "phone"
	case iam.NoticeKeyCopied, iam.NoticeRootUsed, iam.NoticeRootRules, iam.NoticeRootLink, iam.NoticeRootRecovered:
		return "alert"
	case iam.NoticePasswordChanged:
		return "lock"
	case iam.NoticeKeyCreated:
		return "key"
	case iam.NoticeSessionsEnded:
		return "laptop"
	case iam.NoticeEnrolmentLink:
		return "link"
	}
	return "block"
}

// recoveryKind is the colour of how many recovery codes are left.
func recoveryKind(s ops.RecoveryStatus) string {
	if s.Low {
		return "warn"
	}
	return "good"
}
