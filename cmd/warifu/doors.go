package main

import (
	"log/slog"
	"net/http"
	"net/netip"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/api/aws"
	"warifu/internal/clientip"
	"warifu/internal/gateway"
	"warifu/internal/ops"
	"warifu/internal/reqsig/sigv4"
)

// door is one way in.
type door struct {
	name    string // for metrics and log
	handler http.Handler
	streams bool // bodies may take as long as they move
}

// doors are all of them behind one listener.
type doors struct {
	aws     door
	gateway door
	serves  func(*http.Request) bool // whether a request is the gateway's
}

// openDoors builds the doors on a server.
func openDoors(conf *config.Config, s *ops.Server, log *slog.Logger) (*doors, error) {
	proxies := clientip.Trust(conf.Trusted...)
	client := func(r *http.Request) (ip netip.Addr, chain string, secure bool) {
		c := clientOf(proxies, r)
		return c.IP, c.Chain, c.Secure
	}
	behind, err := services(conf)
	if err != nil {
		return nil, err
	}
	g, err := gateway.New(gateway.Config{Services: behind, Ops: s, Log: log, Client: client})
	if err != nil {
		return nil, err
	}
	return &doors{
		aws:     door{"aws", aws.New(aws.Config{Ops: s, Log: log, Client: client, Regions: conf.Regions}), false},
		gateway: door{"gateway", g, true},
		serves:  g.Serves,
	}, nil
}

// of chooses the door of a request: what is signed for a service behind the
// gateway goes there, everything else to the AWS door, which also answers what
// is not signed at all.
func (d *doors) of(r *http.Request) *door {
	if d.serves(r) {
		return &d.gateway
	}
	return &d.aws
}

// services are the configured services in the gateway's terms, and judged by it.
func services(conf *config.Config) ([]gateway.Service, error) {
	all := make([]gateway.Service, len(conf.Services))
	for i, s := range conf.Services {
		all[i] = gateway.Service{
			Name: s.Name, Prefix: s.Prefix, Protocol: gateway.Protocol(s.Protocol), Upstream: s.URL,
			Region: s.Region, Regions: conf.Regions, Target: s.Target, Domains: s.Domains, LiteralKeys: s.LiteralKeys,
		}
		if s.AccessKey != "" {
			all[i].Key = &sigv4.Credentials{AccessKeyID: s.AccessKey, Secret: string(s.SecretKey.Reveal())}
		}
	}
	_, err := gateway.New(gateway.Config{Services: all})
	return all, err
}
