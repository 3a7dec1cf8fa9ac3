package main

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/deliver"
	"warifu/internal/metrics"
	"warifu/internal/ops"
	"warifu/internal/reqsig/sigv4"
)

// trailJobs deliver the trail, put its checkpoints elsewhere and remove what is too
// old.
type trailJobs struct {
	ops     *ops.Server
	log     *slog.Logger
	keep    time.Duration // 0 = for ever
	workers []*deliver.Worker
	anchor  *deliver.Anchor // nil = none
}

func newTrail(ctx context.Context, conf *config.Config, s *ops.Server, log *slog.Logger, counts *metrics.Metrics) (*trailJobs, error) {
	t := &conf.Trail
	j := &trailJobs{ops: s, log: log, keep: time.Duration(t.KeepDays) * 24 * time.Hour}
	if t.AnchorFile != "" || t.AnchorURL != nil {
		j.anchor = &deliver.Anchor{Trail: s, File: t.AnchorFile, URL: t.AnchorURL, Secret: t.WebhookSecret, Log: log, Now: time.Now}
	}
	var names []string
	for name, sink := range sinks(t) {
		w := &deliver.Worker{Name: name, Sink: sink, Source: s, Log: log, Now: time.Now}
		if name == "s3" {
			w.Every, w.Batch = time.Minute, 10_000 // an object per event would be dear
		}
		j.workers, names = append(j.workers, w), append(names, name)
		counts.GaugeOf("warifu_trail_delivery_lag_seconds", "sink", name, func() float64 { return w.Behind().Seconds() })
	}
	counts.Gauge("warifu_trail_events", func() float64 { return float64(standing(s).Size) })
	counts.Gauge("warifu_trail_unsealed_seconds", func() float64 {
		if oldest := standing(s).Oldest; !oldest.IsZero() {
			return max(0, time.Since(oldest).Seconds())
		}
		return 0
	})
	return j, s.KeepSinks(ctx, names)
}

// sinks are the configured places, by the names under which is kept how far each
// has got.
func sinks(t *config.Trail) map[string]deliver.Sink {
	all := map[string]deliver.Sink{}
	if t.File != "" {
		all["file"] = &deliver.File{Path: t.File}
	}
	if t.Webhook != nil {
		all["webhook"] = &deliver.Webhook{URL: t.Webhook, Secret: t.WebhookSecret, Now: time.Now}
	}
	if scheme, address, ok := strings.Cut(t.Syslog, "://"); ok {
		host, _ := os.Hostname() // without it the messages have none
		all["syslog"] = &deliver.Syslog{Address: address, TLS: scheme == "tls", Host: host}
	}
	if t.S3 != nil {
		all["s3"] = &deliver.Bucket{URL: t.S3, Region: t.S3Region, Now: time.Now,
			Key: sigv4.Credentials{AccessKeyID: t.S3AccessKey, Secret: string(t.S3SecretKey.Reveal())}}
	}
	return all
}

// standing tells how sealing stands; nothing when the database does not say so in
// time for the scrape.
func standing(s *ops.Server) ops.TrailStanding {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	t, err := s.TrailStanding(ctx)
	if err != nil {
		return ops.TrailStanding{}
	}
	return t
}

// thinEvery is how often what is too old is removed.
const thinEvery = time.Hour

// start begins the jobs, which end with ctx.
func (j *trailJobs) start(ctx context.Context, working *sync.WaitGroup) {
	for _, w := range j.workers {
		working.Go(func() { w.Run(ctx) })
	}
	if j.anchor != nil {
		working.Go(func() { j.anchor.Run(ctx) })
	}
	working.Go(func() {
		tick := time.NewTicker(thinEvery)
		defer tick.Stop()
		for {
			if err := j.ops.ThinTrail(ctx, j.keep); err != nil && ctx.Err() == nil {
				j.log.Error("old events were not removed; it will be tried again", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}
