package totp_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/internal/factor/totp"
	"warifu/internal/fault"
)

func TestC11Normalize(t *testing.T) {
	for typed, want := range map[string]string{
		"123456":                           "123456",
		" 123 456\n":                       "123456",
		"123-456":                          "123456",
		"123\u2011456":                     "123456", // non-breaking hyphen
		"12\u00ad34\u00a056":               "123456", // soft hyphen, no-break space
		"１２３４５６":                           "123456", // full width
		"１２３　４５６":                          "123456",
		"\u200f\u202b123456\u202c":         "123456", // right-to-left marks
		"\ufeff123\u200b456":               "123456",
		"12345678":                         "12345678",
		"":                                 "",
		"12345":                            "",
		"123456789":                        "",
		"12345a":                           "",
		"+123456":                          "",
		"1234.56":                          "",
		"١٢٣٤٥٦":                           "", // Arabic-Indic digits: no authenticator shows them
		"\x00123456":                       "",
		"\xff123456":                       "",
		strings.Repeat("1", 10_000):        "",
		strings.Repeat(" ", 10_000):        "",
		strings.Repeat(" ", 80) + "123456": "123456",
	} {
		got, err := totp.Normalize(typed)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%.40q: got %q, %v", typed, got, err)
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%.40q: %v", typed, err)
		}
	}
	if n := testing.AllocsPerRun(10, func() { totp.Normalize(strings.Repeat("1", 10_000)) }); n > 5 {
		t.Errorf("a long input costs %v allocations", n)
	}
}

func FuzzNormalize(f *testing.F) {
	f.Add("123 456")
	f.Add("１２３４５６")
	digits := regexp.MustCompile(`^[0-9]{6,8}$`)
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := totp.Normalize(typed)
		if err == nil && !digits.MatchString(code) || err != nil && code != "" {
			t.Fatalf("%q became %q, %v", typed, code, err)
		}
		if again, err2 := totp.Normalize(code); err == nil && (err2 != nil || again != code) {
			t.Fatalf("%q became %q, and that %q", typed, code, again)
		}
	})
}

func TestSeedText(t *testing.T) {
	s, err := totp.NewSeed(bytes.NewReader(bytes.Repeat([]byte{0xa5}, 40)))
	text := totp.SeedText(s)
	if err != nil || !regexp.MustCompile(`^[A-Z2-7]{64}$`).MatchString(text) {
		t.Fatalf("%q, %v", text, err)
	}
	for _, typed := range []string{text, strings.ToLower(text), text[:4] + " " + text[4:] + " ", text[:4] + "-" + text[4:]} {
		if got, err := totp.ParseSeed(typed); err != nil || !bytes.Equal(got, s) {
			t.Errorf("%q: %v", typed, err)
		}
	}
	if got, err := totp.ParseSeed("GEZDGNBVGY3TQOJQGEZDGNBVGY======"); err != nil || string(got) != "1234567890123456" {
		t.Errorf("padded: %q, %v", got, err)
	}
	for _, typed := range []string{"", "GEZDGNBV", text + "1", text[:8] + "\n" + text[8:], strings.Repeat("A", 300), strings.Repeat(" ", 600)} {
		if _, err := totp.ParseSeed(typed); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.20q: %v", typed, err)
		} else if len(typed) > 10 && strings.Contains(err.Error(), text[:8]) {
			t.Errorf("the error quotes the seed: %v", err)
		}
	}
	if _, err := totp.NewSeed(bytes.NewReader(nil)); err == nil {
		t.Error("a seed without randomness")
	}
}

func FuzzParseSeed(f *testing.F) {
	f.Add("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := totp.ParseSeed(text); err == nil {
			if again, err := totp.ParseSeed(totp.SeedText(s)); err != nil || !bytes.Equal(again, s) {
				t.Fatalf("%q: its own text: %v", text, err)
			}
		}
	})
}

func TestURI(t *testing.T) {
	for _, c := range []struct {
		issuer, account string
		p               totp.Params
		want            string
	}{
		{"Warifu", "alice@123456789012", totp.Params{}, "otpauth://totp/Warifu%20alice@123456789012?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Warifu"},
		{"", "alice", totp.Params{}, "otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"},
		{"A & B+C", "x/y?z#", totp.Params{}, "otpauth://totp/A%20%26%20B%2BC%20x%2Fy%3Fz%23?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=A%20%26%20B%2BC"},
		{"W", "a:b@x", totp.Params{}, "otpauth://totp/W%20a%E2%88%B6b@x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=W"},
		{"W", "a", totp.Params{Algorithm: totp.SHA256, Digits: 8, Period: time.Minute}, "otpauth://totp/W%20a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=W&algorithm=SHA256&digits=8&period=60"},
	} {
		if got := totp.URI(c.issuer, c.account, seed, c.p); got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.issuer, c.account, got, c.want)
		}
	}
}

// Whatever the names are, an authenticator parts nothing off, shows issuer and
// account together, and names of one issuer that differ stay different.
func TestURILabelIsNeverAmbiguous(t *testing.T) {
	name := rapid.StringOfN(rapid.SampledFrom([]rune("ab:%@ +&=/?#é割.")), 1, 12, -1)
	rapid.Check(t, func(t *rapid.T) {
		issuer, account := name.Draw(t, "issuer"), name.Draw(t, "account")
		u, err := url.Parse(totp.URI(issuer, account, seed, totp.Params{}))
		if err != nil {
			t.Fatal(err)
		}
		seen := func(s string) string { return strings.ReplaceAll(s, ":", "∶") }
		if label := strings.TrimPrefix(u.Path, "/"); label != seen(issuer)+" "+seen(account) || strings.Contains(label, ":") {
			t.Fatalf("the label reads %q", label)
		}
		if q := u.Query(); q.Get("issuer") != seen(issuer) || q.Get("secret") != totp.SeedText(seed) || len(q) != 2 {
			t.Fatalf("the query reads %v", q)
		}
		if strings.Contains(u.RawQuery+u.EscapedPath(), "+") {
			t.Fatal("a space is written as a plus")
		}
	})
}

// The PNG and the path draw the same picture, with a quiet zone of four modules.
func TestQRPictures(t *testing.T) {
	q, err := totp.NewQR(totp.URI("Warifu", "alice@123456789012", bytes.Repeat([]byte{7}, totp.SeedSize), totp.Params{}))
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(q.PNG()))
	if err != nil {
		t.Fatal(err)
	}
	side := img.Bounds().Dx()
	if side != q.Size()*8 || side != img.Bounds().Dy() || side < 300 || side > 700 {
		t.Fatalf("the picture is %d pixels wide, %d modules", side, q.Size())
	}
	drawn := drawPath(t, q)
	for y := range side {
		for x := range side {
			r, _, _, _ := img.At(x, y).RGBA()
			m := [2]int{x / 8, y / 8}
			if (r == 0) != drawn[m] {
				t.Fatalf("pixel %d,%d: PNG %v, path %v", x, y, r == 0, drawn[m])
			}
			if border := m[0] < 4 || m[1] < 4 || m[0] >= q.Size()-4 || m[1] >= q.Size()-4; border && r == 0 {
				t.Fatalf("the quiet zone is dark at %d,%d", x, y)
			}
		}
	}
	if _, err := totp.NewQR(strings.Repeat("x", 3000)); !fault.Is(err, fault.Invalid) {
		t.Errorf("a text that fits no code: %v", err)
	}
}

// drawPath fills the modules that the SVG path names.
func drawPath(t *testing.T, q totp.QR) map[[2]int]bool {
	t.Helper()
	if !regexp.MustCompile(`^(M\d+ \d+h\d+v1h-\d+z)+$`).MatchString(q.Path()) {
		t.Fatalf("the path is %.60s", q.Path())
	}
	dark := map[[2]int]bool{}
	for _, part := range strings.Split(strings.TrimSuffix(q.Path(), "z"), "z") {
		var x, y, w, back int
		if _, err := fmt.Sscanf(part, "M%d %dh%dv1h-%d", &x, &y, &w, &back); err != nil || w != back {
			t.Fatal(part, err)
		}
		for i := range w {
			dark[[2]int{x + i, y}] = true
		}
	}
	if len(dark) == 0 {
		t.Fatal("nothing is drawn: " + strconv.Itoa(q.Size()))
	}
	return dark
}
