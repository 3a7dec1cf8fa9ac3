package codec

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var aDate = time.Date(2026, 1, 2, 3, 4, 5, 678, time.FixedZone("", 3600))

func encode[T any](t testing.TB, operation, namespace string, out T) string {
	t.Helper()
	e, err := NewEncoder[T](operation, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return string(e.Append(nil, &out, "req-1"))
}

func TestEncode(t *testing.T) {
	const open, shut = ` xmlns="` + IAMNamespace + `">`, `<ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata>`
	type boundary struct {
		Arn string
	}
	type roleOut struct {
		Role struct {
			RoleName     string
			Description  string
			Boundary     *boundary
			Tags         []tag
			RoleLastUsed struct{ Region string }
			LastUsed     time.Time
			Count        int32
			Max          *int32
		}
	}
	role := roleOut{}
	role.Role.RoleName = `<&>"'` + "\r\n\t\x01\xff"
	cases := []struct{ name, got, want string }{
		{"no output", encode(t, "DeleteUser", IAMNamespace, struct{}{}), `<DeleteUserResponse` + open + shut + `</DeleteUserResponse>`},
		{"no members", encode(t, "UpdateRole", IAMNamespace, nothing{}), `<UpdateRoleResponse` + open + `<UpdateRoleResult></UpdateRoleResult>` + shut + `</UpdateRoleResponse>`},
		{"empty list", encode(t, "ListUsers", IAMNamespace, listUsersOut{}),
			`<ListUsersResponse` + open + `<ListUsersResult><Users/><IsTruncated>false</IsTruncated></ListUsersResult>` + shut + `</ListUsersResponse>`},
		{"list", encode(t, "ListUsers", IAMNamespace, listUsersOut{Users: []sdkUser{{Path: "/", UserName: "a", CreateDate: aDate, Tags: []tag{{"k", ""}}}}, IsTruncated: true, Marker: "m"}),
			`<ListUsersResponse` + open + `<ListUsersResult><Users><member><Path>/</Path><UserName>a</UserName><CreateDate>2026-01-02T02:04:05Z</CreateDate>` +
				`<Tags><member><Key>k</Key></member></Tags></member></Users><IsTruncated>true</IsTruncated><Marker>m</Marker></ListUsersResult>` + shut + `</ListUsersResponse>`},
		{"absent and empty", encode(t, "GetRole", IAMNamespace, role),
			`<GetRoleResponse` + open + `<GetRoleResult><Role><RoleName>&lt;&amp;&gt;&#34;&#39;&#xD;` + "\n\t\uFFFD\uFFFD" + `</RoleName>` +
				`<RoleLastUsed></RoleLastUsed><Count>0</Count></Role></GetRoleResult>` + shut + `</GetRoleResponse>`},
		{"map", encode(t, "GetAccountSummary", IAMNamespace, summaryOut{map[string]int32{"Users": 2, "Groups": 0}}),
			`<GetAccountSummaryResponse` + open + `<GetAccountSummaryResult><SummaryMap><entry><key>Groups</key><value>0</value></entry>` +
				`<entry><key>Users</key><value>2</value></entry></SummaryMap></GetAccountSummaryResult>` + shut + `</GetAccountSummaryResponse>`},
		{"error", string(AppendError(nil, IAMNamespace, &Error{"NoSuchEntity", "The user with name <x> cannot be found.", 404}, "req-1")),
			`<ErrorResponse` + open + `<Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>The user with name &lt;x&gt; cannot be found.</Message></Error><RequestId>req-1</RequestId></ErrorResponse>`},
		{"fault of ours", string(AppendError(nil, FaultNamespace, &Error{Code: "ServiceFailure", Status: 500}, "r")),
			`<ErrorResponse xmlns="` + FaultNamespace + `"><Error><Type>Receiver</Type><Code>ServiceFailure</Code></Error><RequestId>r</RequestId></ErrorResponse>`},
		{"EC2 error", string(AppendEC2Error(nil, &Error{"UnauthorizedOperation", "You & me", 403}, "r")),
			`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You &amp; me</Message></Error></Errors><RequestID>r</RequestID></Response>`},
		{"S3 error", string(AppendS3Error(nil, &Error{"AccessDenied", "Access Denied", 403}, "/b/<k>", "r")),
			`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Error><Code>AccessDenied</Code><Message>Access Denied</Message><Resource>/b/&lt;k&gt;</Resource><RequestId>r</RequestId></Error>`},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.name, c.got, c.want)
		}
	}
}

func TestURLEncodedDocument(t *testing.T) {
	var out policyVersionOut
	out.PolicyVersion.Document = `{"a": "é+~*"}`
	got := encode(t, "GetPolicyVersion", IAMNamespace, out)
	if want := `<Document>%7B%22a%22%3A%20%22%C3%A9%2B~%2A%22%7D</Document>`; !strings.Contains(got, want) {
		t.Errorf("%s does not hold %s", got, want)
	}
}

func TestDispatchErrors(t *testing.T) {
	for _, c := range []struct {
		e    *Error
		want string
	}{
		{InvalidAction("Nope", "2010-05-08"), "InvalidAction: Could not find operation Nope for version 2010-05-08"},
		{InvalidAction("ListUsers", ""), "InvalidAction: Could not find operation ListUsers for version NO_VERSION_SPECIFIED"},
		{MissingAction(), "MissingAction: The request is missing an action or a required parameter."},
	} {
		if c.e.Error() != c.want || c.e.Status != 400 {
			t.Errorf("%d %v", c.e.Status, c.e)
		}
	}
}

// readUser is what encoding/xml reads back: the judge of well-formedness.
type readUsers struct {
	XMLName xml.Name
	Users   []struct {
		Path, UserName string
		Tags           []tag `xml:"Tags>member"`
	} `xml:"ListUsersResult>Users>member"`
	Marker string `xml:"ListUsersResult>Marker"`
}

// TestAnyTextIsWellFormed: whatever the strings hold, the document parses, and
// every string that XML can carry comes back unchanged.
func TestAnyTextIsWellFormed(t *testing.T) {
	e, err := NewEncoder[listUsersOut]("ListUsers", IAMNamespace)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
		want := listUsersOut{Marker: text.Draw(t, "marker")}
		for range rapid.IntRange(0, 3).Draw(t, "users") {
			want.Users = append(want.Users, sdkUser{UserName: text.Draw(t, "name"), Tags: []tag{{text.Draw(t, "key"), text.Draw(t, "value")}}})
		}
		doc := e.Append(nil, &want, text.Draw(t, "id"))
		var got readUsers
		if err := xml.Unmarshal(doc, &got); err != nil {
			t.Fatalf("%v: %q", err, doc)
		}
		if len(got.Users) != len(want.Users) || got.Marker != carried(want.Marker) {
			t.Fatalf("marker %q of %q", got.Marker, want.Marker)
		}
		for i, u := range want.Users {
			g := got.Users[i]
			if g.UserName != carried(u.UserName) || g.Tags[0].Key != carried(u.Tags[0].Key) || g.Tags[0].Value != carried(u.Tags[0].Value) {
				t.Fatalf("%+v of %+v", g, u)
			}
		}
	})
}

// carried is what is left of a string after XML.
func carried(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return 0xFFFD
		}
		return r
	}, strings.Join(strings.Split(s, ""), ""))
}

func FuzzText(f *testing.F) {
	f.Add("a<b>&\"'\r\n\x00\xff\uFFFE")
	f.Fuzz(func(t *testing.T, s string) {
		doc := append(AppendText([]byte(`<a b="`), s), `">`...)
		doc = append(AppendText(doc, s), "</a>"...)
		d := xml.NewDecoder(bytes.NewReader(doc))
		for {
			token, err := d.Token()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatalf("%v: %q", err, doc)
			}
			if text, ok := token.(xml.CharData); ok && string(text) != carried(s) {
				t.Fatalf("%q of %q", text, s)
			}
		}
	})
}

func aHundredUsers() listUsersOut {
	out := listUsersOut{}
	for range 100 {
		out.Users = append(out.Users, sdkUser{Path: "/team/", UserName: "some.user@example.com", UserID: "AIDAEXAMPLEEXAMPLE123",
			Arn: "arn:aws:iam::123456789012:user/team/some.user@example.com", CreateDate: aDate, PasswordLastUsed: &aDate})
	}
	return out
}

// BenchmarkListUsers writes a page of 100 users; encoding/xml is the peer.
func BenchmarkListUsers(b *testing.B) {
	out := aHundredUsers()
	e, err := NewEncoder[listUsersOut]("ListUsers", IAMNamespace)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 0, 64<<10)
		for b.Loop() {
			buf = e.Append(buf[:0], &out, "req-1")
		}
		b.SetBytes(int64(len(buf)))
	})
	b.Run("peer: encoding/xml", func(b *testing.B) {
		b.ReportAllocs()
		type member struct {
			Path, UserName, UserId, Arn  string
			CreateDate, PasswordLastUsed time.Time
		}
		var doc struct {
			XMLName     xml.Name `xml:"https://iam.amazonaws.com/doc/2010-05-08/ ListUsersResponse"`
			Users       []member `xml:"ListUsersResult>Users>member"`
			IsTruncated bool     `xml:"ListUsersResult>IsTruncated"`
			RequestID   string   `xml:"ResponseMetadata>RequestId"`
		}
		for _, u := range out.Users {
			doc.Users = append(doc.Users, member{u.Path, u.UserName, u.UserID, u.Arn, u.CreateDate, *u.PasswordLastUsed})
		}
		var buf bytes.Buffer
		for b.Loop() {
			buf.Reset()
			if err := xml.NewEncoder(&buf).Encode(&doc); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(buf.Len()))
	})
}
