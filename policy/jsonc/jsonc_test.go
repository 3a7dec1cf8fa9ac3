package jsonc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"warifu/policy/jsonc"
)

func TestStrip(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"nothing", ``, ``},
		{"no comment", `{"a": "b"}`, `{"a": "b"}`},
		{"to the end of the line", "{ // why\n\"a\": 1}", "{       \n\"a\": 1}"},
		{"to the end of the text", `{} // why`, `{}       `},
		{"to a carriage return", "{} // why\r\n{}", "{}       \r\n{}"},
		{"a lone carriage return", "// a\r{}", "    \r{}"},
		{"a block", `{/* why */"a":1}`, `{         "a":1}`},
		{"a block over lines", "{/* a\n\tb */}", "{    \n     }"},
		{"empty comments", "/**/{}//", "    {}  "},
		{"stars and slashes", `/***/ /*/*/ {} /* // */`, `            {}         `},
		{"line comment in it", "// /* a\n{}", "       \n{}"},
		{"in a string", `{"a": "http://b/*c*/"}`, `{"a": "http://b/*c*/"}`},
		{"behind an escaped quote", `{"a\"//": 1} //`, `{"a\"//": 1}   `},
		{"behind an escaped backslash", `{"a\\": 1} //`, `{"a\\": 1}   `},
		{"Japanese", "{} // 理由\n", "{}          \n"},
		{"a slash is the parser's", `{ / }`, `{ / }`},
		{"a slash at the end", `{} /`, `{} /`},
		{"a string without end", `{"a // b`, `{"a // b`},
		{"a string that ends in a backslash", `"a\`, `"a\`},
		{"as deep as may be", strings.Repeat("[", jsonc.MaxDepth) + "//", strings.Repeat("[", jsonc.MaxDepth) + "  "},
		{"one after the other", strings.Repeat("[]", jsonc.MaxDepth+1), strings.Repeat("[]", jsonc.MaxDepth+1)},
	} {
		src := []byte(c.src)
		got, err := jsonc.Strip(src)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
		if string(src) != c.src {
			t.Errorf("%s: the written text was changed", c.name)
		}
	}
}

// what is too large or too deep is refused, and what cannot be seen.
func TestStripRefuses(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"too large", strings.Repeat(" ", jsonc.MaxSize+1), "line 1, column 1: found a text of 524289 bytes; allowed: at most 524288 bytes"},
		{"too deep", "{}\n" + strings.Repeat("[", 65), "line 2, column 65: found bracket 65 inside of others; allowed: at most 64"},
		{"too deep, mixed", strings.Repeat(`{"a":[`, 32) + "{", "line 1, column 193: found bracket 65 inside of others; allowed: at most 64"},
		{"no end", "{}\n /* a", "line 2, column 2: found a comment without end; allowed: */ at its end"},
		{"no end, nearly", "/*/", "line 1, column 1: found a comment without end; allowed: */ at its end"},
		{"not UTF-8", "// \xff", "line 1, column 4: found a byte that is not UTF-8, in a comment; allowed: text in UTF-8"},
		{"right to left", "// a\n/* \u202e */", "line 2, column 4: found the unseen character U+202E, in a comment; allowed: characters that can be seen"},
		{"a line separator", "// a\u2028{}", "line 1, column 5: found the unseen character U+2028, in a comment; allowed: characters that can be seen"},
		{"a null", "// \x00", "line 1, column 4: found the unseen character U+0000, in a comment; allowed: characters that can be seen"},
	} {
		_, err := jsonc.Strip([]byte(c.src))
		if e := (*jsonc.Error)(nil); !errors.As(err, &e) || err.Error() != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := jsonc.Strip(bytes.Repeat([]byte("["), 2<<20)); err == nil {
		t.Error("two million brackets went through")
	}
}

// A text without comments is not copied.
func TestStripCopiesNothing(t *testing.T) {
	src := []byte(`{"Version": "2012-10-17", "Resource": "arn:aws:s3:::b//*"}`)
	if n := testing.AllocsPerRun(10, func() { _, _ = jsonc.Strip(src) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzStrip: nothing outside of comments changes, nothing moves, JSON stays what
// it is, and the result has no comments any more.
func FuzzStrip(f *testing.F) {
	f.Add([]byte("{ // why\n\"a\": \"//\\\"\" /* b\n */}"))
	f.Add([]byte("/*/**/{}\r// \u202e"))
	f.Fuzz(func(t *testing.T, src []byte) {
		got, err := jsonc.Strip(src)
		if err != nil {
			if e, ok := err.(*jsonc.Error); !ok || e.Line < 1 || e.Column < 1 || e.Found == "" || e.Want == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		if len(got) != len(src) {
			t.Fatalf("%d bytes of %d", len(got), len(src))
		}
		for i, c := range got {
			if c != src[i] && (c != ' ' || src[i] == '\n' || src[i] == '\r') {
				t.Fatalf("byte %d became %q from %q", i, c, src[i])
			}
		}
		if json.Valid(src) && !bytes.Equal(got, src) {
			t.Fatal("JSON without comments was changed")
		}
		if again, err := jsonc.Strip(got); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("stripped twice: %q, %v", again, err)
		}
	})
}
