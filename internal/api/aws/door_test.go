package aws_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"warifu/internal/api/aws"
	"warifu/internal/testkit"
)

// door is a world behind its AWS door on a loopback listener.
type door struct {
	*testkit.World
	url string
}

func open(t testing.TB, w *testkit.World) *door {
	t.Helper()
	srv := httptest.NewServer(aws.New(aws.Config{Ops: w.Server, Log: slog.New(slog.DiscardHandler), Client: client}))
	t.Cleanup(srv.Close)
	return &door{w, srv.URL}
}

// each runs a test through the door on SQLite and on PostgreSQL.
func each(t *testing.T, test func(*testing.T, *door)) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) { test(t, open(t, w)) })
}

func client(r *http.Request) (netip.Addr, string, bool) {
	ap, _ := netip.ParseAddrPort(r.RemoteAddr)
	return ap.Addr().Unmap(), "", false
}

// key is a set of credentials.
type key struct{ id, secret, token string }

func (d *door) admin() key { return key{id: d.AccessKeyID, secret: d.SecretAccessKey} }

func (d *door) config(k key) awssdk.Config {
	return awssdk.Config{
		Region: "us-east-1", BaseEndpoint: &d.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(k.id, k.secret, k.token),
	}
}

// signer makes the SDK sign at the time that the test's clock shows.
type signer struct{ clock *testkit.Clock }

func (s signer) SignHTTP(ctx context.Context, c awssdk.Credentials, r *http.Request, hash, service, region string, _ time.Time, opts ...func(*v4.SignerOptions)) error {
	return v4.NewSigner().SignHTTP(ctx, c, r, hash, service, region, s.clock.Now(), opts...)
}

func (d *door) iam(k key) *iam.Client {
	return iam.NewFromConfig(d.config(k), func(o *iam.Options) { o.HTTPSignerV4 = signer{d.Clock} })
}

func (d *door) sts(k key) *sts.Client {
	return sts.NewFromConfig(d.config(k), func(o *sts.Options) { o.HTTPSignerV4 = signer{d.Clock} })
}

func TestUsersThroughTheSDK(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		ctx := context.Background()
		c := d.iam(d.admin())
		made, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: awssdk.String("Alice"), Path: awssdk.String("/team/")})
		if err != nil {
			t.Fatal(err)
		}
		if got := *made.User.Arn; got != "arn:aws:iam::123456789012:user/team/Alice" {
			t.Errorf("Arn = %s", got)
		}
		if !made.User.CreateDate.Equal(testkit.Epoch) {
			t.Errorf("CreateDate = %v, want %v", made.User.CreateDate, testkit.Epoch)
		}
		_, err = c.CreateUser(ctx, &iam.CreateUserInput{UserName: awssdk.String("alice")})
		if taken := (*iamtypes.EntityAlreadyExistsException)(nil); !errors.As(err, &taken) || taken.ErrorMessage() != "User with name alice already exists." {
			t.Errorf("the same name in lower case: %v", err)
		}
		self, err := c.GetUser(ctx, &iam.GetUserInput{})
		if err != nil || *self.User.UserName != "admin" {
			t.Errorf("without a name: %+v, %v", self, err)
		}
	})
}

// A body that stops half-way is not answered as if all were well: an empty 200
// is what operations without output look like.
func TestBodyThatDoesNotArrive(t *testing.T) {
	d := open(t, testkit.New(t))
	srv, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", srv.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 100\r\n\r\nAction=", srv.Host)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusRequestTimeout || !resp.Close {
		t.Errorf("%+v, %v", resp, err)
	}
}
