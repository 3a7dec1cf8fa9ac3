package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// world is what all tests share.
var world struct {
	binary string          // warifu
	chrome context.Context // of the browser
	agent  string          // its User-Agent, as of a browser with a window
	axe    string          // source of axe-core
}

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "warifu-browser-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, removeAll(dir)) }()
	if world.axe, err = axeSource(); err != nil {
		return 1, err
	}
	world.binary = filepath.Join(dir, "warifu")
	if out, err := exec.Command("go", "build", "-o", world.binary, "warifu/cmd/warifu").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build: %w\n%s", err, out)
	}
	stop, err := startChrome(filepath.Join(dir, "profile"))
	if err != nil {
		return 1, fmt.Errorf("start Chromium (scripts/test-deps installs it): %w", err)
	}
	defer stop()
	return m.Run(), nil
}

// startChrome starts one browser for all tests, which keep apart by browser
// contexts. It must not look for anything on the network.
func startChrome(profile string) (stop func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en"),
	)
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	stop = func() { end(); endAllocator() }
	v, err := chromedp.CallBrowser(ctx, cdpbrowser.GetVersion, cdp.Empty{})
	if err == nil {
		err = chromedp.Do(ctx)
	}
	if err != nil {
		stop()
		return nil, err
	}
	world.chrome = ctx
	world.agent = strings.ReplaceAll(v.UserAgent, "HeadlessChrome", "Chrome")
	return stop, nil
}

// axeSource reads axe-core from where scripts/test-deps keeps it.
func axeSource() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(filepath.Join(cache, "warifu-test", "axe-core-4.14.1", "axe.min.js"))
	if err != nil {
		return "", fmt.Errorf("axe-core is missing (scripts/test-deps installs it): %w", err)
	}
	return string(b), nil
}

// removeAll removes a folder that processes of the browser which are about to
// end may still write into.
func removeAll(dir string) (err error) {
	for range 50 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}
