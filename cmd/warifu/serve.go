package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/clientip"
	"warifu/internal/metrics"
	"warifu/internal/notify"
	"warifu/internal/ops"
)

type serveCmd struct {
	config.Flags
	Demo bool `help:"Also run a small pretended EC2 on this machine, behind the gateway, to try policies on."`
}

// drainTime is how long a server that was told to stop waits for the requests
// that it has taken.
const drainTime = 20 * time.Second

// Run serves until the process is told to stop. A second signal ends it at once.
func (cmd *serveCmd) Run(h *host) error {
	conf, err := config.Load(cmd.Flags, h.environ)
	if err != nil {
		return err
	}
	log := newLog(h.stderr, conf.Log)
	ctx, stop := signal.NotifyContext(h, os.Interrupt, syscall.SIGTERM)
	defer stop()

	counts := metrics.New(version())
	f, err := openFolder(ctx, conf, log, counts.Observe)
	if err != nil {
		return err
	}
	defer f.close()
	counts.Gauge("warifu_password_queue", func() float64 { return float64(f.gate.Waiting()) })

	l, err := listen(conf)
	if err != nil {
		return err
	}
	defer l.close()
	if err := usePasskeys(ctx, conf, f.ops, log, l.url); err != nil {
		return err
	}
	if err := cmd.firstStart(ctx, h, conf, f, l.url); err != nil {
		return err
	}
	if cmd.Demo {
		stopDemo, err := startDemo(conf, log)
		if err != nil {
			return err
		}
		defer stopDemo()
	}
	d, err := openDoors(conf, f.ops, log, l.url)
	if err != nil {
		return err
	}
	post, err := newSender(conf, f.ops, log, counts, l.url)
	if err != nil {
		return err
	}
	trail, err := newTrail(ctx, conf, f.ops, log, counts)
	if err != nil {
		return err
	}
	s := &server{
		post: post, trail: trail,
		log: log, folder: f, health: &health{store: f.store, now: time.Now},
		public: newHTTPServer(&front{doors: d, clients: clientip.Trust(conf.Trusted...), metrics: counts, log: log}, log),
	}
	if conf.TLS.Cert != "" {
		c, err := newCertificate(conf.TLS, log, time.Now)
		if err != nil {
			return err
		}
		s.public.TLSConfig.GetCertificate = c.get
	}
	s.admin = newHTTPServer(admin(s.health, counts.Handler(), f.ops, log), log)
	err = s.run(ctx, stop, l)
	return errors.Join(err, f.close())
}

// firstStart initialises a folder that has no account. The credentials are shown
// on the terminal; where there is none, standard output is likely to be kept as
// a log, so they go into a file that only its owner can read.
func (cmd *serveCmd) firstStart(ctx context.Context, h *host, conf *config.Config, f *folder, endpoint string) error {
	done, err := f.ops.Bootstrapped(ctx)
	if err != nil {
		return err
	}
	if done {
		fmt.Fprintf(h.stdout, "warifu serves %s on %s\n", conf.Data, endpoint)
		return f.ops.SyncManaged(ctx)
	}
	first, err := f.initialise(ctx, ops.BootstrapIn{}, endpoint)
	if err != nil {
		return err
	}
	if isTerminal(h.stdout) {
		return first.writeText(h.stdout)
	}
	path := filepath.Join(conf.Data, "first-credentials.json")
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the first credentials: %w", err)
	}
	defer out.Close()
	if err := first.writeJSON(out); err != nil {
		return fmt.Errorf("write the first credentials: %w", err)
	}
	fmt.Fprintf(h.stdout, "warifu initialised %s and serves it on %s\nThe administrator's credentials are in %s: take them and delete the file.\n", conf.Data, endpoint, path)
	return nil
}

// listeners are the open ports.
type listeners struct {
	public, admin net.Listener // admin may be nil
	url           string       // how users reach the public one
}

func listen(conf *config.Config) (l *listeners, err error) {
	l = &listeners{}
	if l.public, err = net.Listen("tcp", conf.Listen); err != nil {
		return nil, err
	}
	if conf.AdminListen != "" {
		if l.admin, err = net.Listen("tcp", conf.AdminListen); err != nil {
			l.public.Close()
			return nil, err
		}
	}
	// A name stays as it was written; port 0 has become a real one.
	host, port, _ := net.SplitHostPort(conf.Listen)
	if port == "0" {
		_, port, _ = net.SplitHostPort(l.public.Addr().String())
	}
	l.url = conf.URL(net.JoinHostPort(host, port))
	return l, nil
}

func (l *listeners) close() {
	l.public.Close()
	if l.admin != nil {
		l.admin.Close()
	}
}

// server is what runs.
type server struct {
	log           *slog.Logger
	folder        *folder
	health        *health
	public, admin *http.Server
	post          *notify.Sender
	trail         *trailJobs
}

// run serves and does the background jobs until ctx ends or a listener fails,
// and shuts down in order.
func (s *server) run(ctx context.Context, stop func(), l *listeners) error {
	jobs, endJobs := context.WithCancel(context.Background())
	defer endJobs()
	var working sync.WaitGroup
	working.Go(func() { s.folder.ops.Maintain(jobs) })
	working.Go(func() { s.folder.ops.KeepTrail(jobs) })
	working.Go(func() { s.post.Run(jobs) })
	s.trail.start(jobs, &working)

	failed := make(chan error, 2)
	go func() { failed <- s.serve(l.public) }()
	if l.admin != nil {
		go func() { failed <- s.admin.Serve(l.admin) }()
	}
	s.log.Info("serving", "address", l.public.Addr().String(), "url", l.url, "version", version())
	tellSystemd(s.log, "READY=1")

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop() // from here on a signal ends the process
	s.health.stopping.Store(true)
	tellSystemd(s.log, "STOPPING=1")
	s.log.Info("stopping", "within", drainTime.String())
	s.drain()
	endJobs()
	working.Wait()
	if flush := s.folder.ops.Flush(context.Background()); flush != nil {
		s.log.Error("last uses of credentials were not written", "error", flush)
	}
	return err
}

func (s *server) serve(l net.Listener) error {
	if s.public.TLSConfig.GetCertificate != nil {
		return s.public.ServeTLS(l, "", "")
	}
	return s.public.Serve(l)
}

// drain lets requests finish that were taken, and cuts off those that do not.
// The admin listener answers until the end, so that a supervisor sees why.
func (s *server) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := s.public.Shutdown(ctx); err != nil {
		s.log.Warn("requests were cut off", "after", drainTime.String())
		s.public.Close()
	}
	s.admin.Close()
}
