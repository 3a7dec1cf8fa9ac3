package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"warifu/internal/ops"
)

type loginCmd struct {
	URL     string `help:"Address of the server." default:"http://localhost:7420" env:"WARIFU_URL"`
	Profile string `help:"Profile of the AWS command line to sign in." default:"warifu"`
	Region  string `help:"Region of the profile, if it has none yet." default:"us-east-1"`
	Device  bool   `help:"Show a code to type into a browser anywhere, instead of opening one here."`
	Static  bool   `help:"Write the credentials themselves into the shared credentials file. They are good for an hour and are not refreshed."`
	Force   bool   `help:"Take over a profile that has credentials of another kind."`
	Print   bool   `help:"Print the address and do not open a browser."`
}

// loginWait is how long a person has for the browser.
const loginWait = 10 * time.Minute

// Run signs a command line in and sets its profile up.
func (cmd *loginCmd) Run(h *host) error {
	files, err := awsFilesOf(h.environ)
	if err != nil {
		return err
	}
	if err := files.mayTake(cmd.Profile, cmd.Force); err != nil {
		return err
	}
	key, err := newLoginKey()
	if err != nil {
		return err
	}
	c := &loginClient{base: strings.TrimRight(cmd.URL, "/"), key: key, http: &http.Client{Timeout: 30 * time.Second}}
	if cmd.Static {
		c.kept = ops.CLIKeptLife
	}
	ctx, cancel := context.WithTimeout(h, loginWait)
	defer cancel()
	var got *loginTokens
	client := ops.ClientSameDevice
	if cmd.Device {
		client = ops.ClientDevice
		got, err = c.byDevice(ctx, h.stderr)
	} else {
		got, err = c.byBrowser(ctx, h.stderr, cmd.Print)
	}
	if err != nil {
		return err
	}
	if err := cmd.keep(files, c, client, got); err != nil {
		return err
	}
	fmt.Fprintf(h.stdout, "Signed in as %s until %s.\nTry: aws sts get-caller-identity --profile %s\n",
		got.Subject, got.ends().Local().Format("2006-01-02 15:04"), cmd.Profile)
	return nil
}

// keep writes what came of it where the AWS command line finds it.
func (cmd *loginCmd) keep(files *awsFiles, c *loginClient, client string, got *loginTokens) error {
	config := []setting{{"endpoint_url", c.base}}
	if cmd.Static {
		if err := files.forget(cmd.Profile); err != nil {
			return err
		}
		if err := files.setCredentials(cmd.Profile, []setting{
			{"aws_access_key_id", got.Access.ID}, {"aws_secret_access_key", got.Access.Secret}, {"aws_session_token", got.Access.Token},
		}); err != nil {
			return err
		}
		return files.setConfig(cmd.Profile, cmd.Region, append(config, setting{"credential_process", ""}))
	}
	own, err := os.Executable()
	if err != nil {
		return err
	}
	if err := files.save(cmd.Profile, newKeptLogin(c, client, got)); err != nil {
		return err
	}
	if err := files.setCredentials(cmd.Profile, []setting{{"aws_access_key_id", ""}, {"aws_secret_access_key", ""}, {"aws_session_token", ""}}); err != nil {
		return err
	}
	process := quoted(own) + " credentials --profile " + quoted(cmd.Profile)
	return files.setConfig(cmd.Profile, cmd.Region, append(config, setting{"credential_process", process}))
}

// quoted is a word of a command line of credential_process.
func quoted(s string) string {
	if !strings.ContainsAny(s, " \t\"\\") {
		return s
	}
	return `"` + s + `"`
}

// byBrowser opens the page of the server, which sends the code to a listener on
// this machine (RFC 8252).
func (c *loginClient) byBrowser(ctx context.Context, out io.Writer, printOnly bool) (*loginTokens, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	redirect := "http://" + l.Addr().String() + "/oauth/callback"
	state, verifier := rand.Text(), rand.Text()+rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	page := c.base + "/v1/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {ops.ClientSameDevice}, "state": {state}, "code_challenge_method": {"SHA-256"},
		"scope": {"openid"}, "redirect_uri": {redirect}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}.Encode()
	back := &callback{state: state, came: make(chan url.Values, 1)}
	server := &http.Server{Handler: back, ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(l) //nolint:errcheck // it ends with the listener
	defer server.Close()

	if printOnly || openBrowser(ctx, page) != nil {
		fmt.Fprintf(out, "Open this address in a browser on this machine:\n\n%s\n\nIf the browser is on another machine, stop this and use --device.\n", page)
	} else {
		fmt.Fprintf(out, "Approve it in the browser that opens. If none does, open:\n\n%s\n\n", page)
	}
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("nobody approved it within %s", loginWait)
	case v := <-back.came:
		if v.Get("error") != "" {
			return nil, fmt.Errorf("it was refused in the browser")
		}
		return c.tokens(ctx, url.Values{
			"grant_type": {"authorization_code"}, "client_id": {ops.ClientSameDevice}, "code": {v.Get("code")}, "code_verifier": {verifier}, "redirect_uri": {redirect},
		})
	}
}

// callback waits for the browser to bring the code.
type callback struct {
	state string
	came  chan url.Values
}

// ServeHTTP implements http.Handler.
func (b *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if r.URL.Path != "/oauth/callback" || q.Get("state") != b.state || !q.Has("code") && !q.Has("error") {
		http.NotFound(w, r)
		return
	}
	text := "The command line is signed in. You can close this page."
	if q.Has("error") {
		text = "It was refused. You can close this page."
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	fmt.Fprintf(w, "<!doctype html><html lang=en><title>Warifu</title><h1>Warifu</h1><p>%s</p></html>\n", html.EscapeString(text))
	select {
	case b.came <- q:
	default: // the first one counts
	}
}

// openBrowser opens an address in the person's browser.
func openBrowser(ctx context.Context, address string) error {
	name, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	return exec.CommandContext(context.WithoutCancel(ctx), name, args...).Start()
}

// byDevice shows a code and asks until somebody has typed it in (RFC 8628).
func (c *loginClient) byDevice(ctx context.Context, out io.Writer) (*loginTokens, error) {
	var d struct {
		DeviceCode string `json:"device_code"`
		UserCode   string `json:"user_code"`
		URI        string `json:"verification_uri"`
		Complete   string `json:"verification_uri_complete"`
		Interval   int    `json:"interval"`
	}
	if err := c.ask(ctx, "/v1/device_authorization", url.Values{"client_id": {ops.ClientDevice}}, &d); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "Open %s in any browser and type\n\n    %s\n\nor open %s\n", d.URI, d.UserCode, d.Complete)
	wait := time.Duration(max(d.Interval, 1)) * time.Second
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("nobody approved it within %s", loginWait)
		case <-time.After(wait):
		}
		got, err := c.tokens(ctx, url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {ops.ClientDevice}, "device_code": {d.DeviceCode},
		})
		switch code(err) {
		case "authorization_pending":
		case "slow_down":
			wait += 5 * time.Second // RFC 8628, section 3.5
		default:
			return got, err
		}
	}
}

type credentialsCmd struct {
	Profile string `help:"Profile that was signed in." default:"warifu"`
}

// Run prints credentials as the AWS command line and SDKs expect them of a
// credential_process, refreshed when they are about to run out.
func (cmd *credentialsCmd) Run(h *host) error {
	files, err := awsFilesOf(h.environ)
	if err != nil {
		return err
	}
	kept, err := files.load(cmd.Profile)
	if err != nil {
		return fmt.Errorf("%w; run: warifu login --profile %s", err, cmd.Profile)
	}
	if time.Until(kept.Expires) < 5*time.Minute {
		if err := kept.refresh(h); err != nil {
			if code(err) == "invalid_grant" {
				return fmt.Errorf("the sign-in has ended; run: warifu login --profile %s", cmd.Profile)
			}
			return err
		}
		if err := files.save(cmd.Profile, kept); err != nil {
			return err
		}
	}
	return kept.print(h.stdout)
}

type logoutCmd struct {
	Profile string `help:"Profile that was signed in." default:"warifu"`
}

// Run ends a sign-in here and on the server.
func (cmd *logoutCmd) Run(h *host) error {
	files, err := awsFilesOf(h.environ)
	if err != nil {
		return err
	}
	kept, err := files.load(cmd.Profile)
	if err != nil {
		return err
	}
	revoked := kept.revoke(h)
	if err := files.forget(cmd.Profile); err != nil {
		return err
	}
	if revoked != nil {
		return fmt.Errorf("the sign-in is forgotten here, but the server could not be told: %w", revoked)
	}
	fmt.Fprintln(h.stdout, "Signed out. Credentials that were handed out run out within minutes.")
	return nil
}

// awsFiles are the files of the AWS command line, and the folder of sign-ins.
type awsFiles struct{ config, credentials, logins string }

func awsFilesOf(environ []string) (*awsFiles, error) {
	env := func(name string) string {
		for _, e := range environ {
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				return v
			}
		}
		return ""
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	f := &awsFiles{config: env("AWS_CONFIG_FILE"), credentials: env("AWS_SHARED_CREDENTIALS_FILE"), logins: env("WARIFU_LOGINS")}
	if f.config == "" {
		f.config = filepath.Join(home, ".aws", "config")
	}
	if f.credentials == "" {
		f.credentials = filepath.Join(home, ".aws", "credentials")
	}
	if f.logins == "" {
		f.logins = filepath.Join(home, ".warifu", "logins")
	}
	return f, nil
}
