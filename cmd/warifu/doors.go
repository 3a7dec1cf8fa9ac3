package main

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/api/alibaba"
	"warifu/internal/api/aws"
	"warifu/internal/api/cloudsso"
	"warifu/internal/api/oci"
	"warifu/internal/api/signin"
	"warifu/internal/clientip"
	"warifu/internal/console"
	"warifu/internal/gateway"
	"warifu/internal/gateway/acstable"
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
	alibaba door
	gateway door
	console door
	signin  door
	cloud   door
	oracle  door
	serves  func(*http.Request) bool // whether a request is the gateway's
}

// openDoors builds the doors on a server that people reach at address.
func openDoors(conf *config.Config, s *ops.Server, log *slog.Logger, address string) (*doors, error) {
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
	at, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	con, err := console.New(console.Config{Ops: s, Log: log, Client: client, URL: at, Rand: rand.Reader, Version: version(), Services: shown(conf), Fetch: g.Inside})
	if err != nil {
		return nil, err
	}
	return &doors{
		console: door{"console", con, false},
		signin:  door{"signin", signin.New(signin.Config{Ops: s, Log: log, Client: client, URL: at}), false},
		cloud:   door{"cloudsso", cloudsso.New(cloudsso.Config{Ops: s, Log: log, Client: client, URL: at}), false},
		oracle:  door{"oracle", oci.New(oci.Config{Ops: s, Log: log, Client: client, Region: conf.Oracle.Region, RegionKey: conf.Oracle.RegionKey}), false},
		aws:     door{"aws", aws.New(aws.Config{Ops: s, Log: log, Client: client, Regions: conf.Regions}), false},
		alibaba: door{"alibaba", alibaba.New(alibaba.Config{Ops: s, Log: log, Client: client}), false},
		gateway: door{"gateway", g, true},
		serves:  g.Serves,
	}, nil
}

// of chooses the door of a request: what is signed for a service behind the
// gateway goes there, the pages of the console are its own, what Alibaba Cloud's
// clients send goes to that door, and everything else to the AWS door, which also answers what is not signed at all.
func (d *doors) of(r *http.Request) *door {
	switch {
	case d.serves(r):
		return &d.gateway
	case oci.Owns(r):
		return &d.oracle
	case signin.Owns(r):
		return &d.signin
	case cloudsso.Owns(r):
		return &d.cloud
	case console.Owns(r):
		return &d.console
	case alibaba.Owns(r):
		return &d.alibaba
	}
	return &d.aws
}

// shown are the configured services as the console lists them.
func shown(conf *config.Config) []console.Service {
	all := make([]console.Service, len(conf.Services))
	for i, s := range conf.Services {
		all[i] = console.Service{Name: s.Name, Protocol: s.Protocol}
	}
	return all
}

// services are the configured services in the gateway's terms, and judged by it.
func services(conf *config.Config) ([]gateway.Service, error) {
	all := make([]gateway.Service, len(conf.Services))
	for i, s := range conf.Services {
		all[i] = gateway.Service{
			Name: s.Name, Prefix: s.Prefix, Account: s.Account, Protocol: gateway.Protocol(s.Protocol), Upstream: s.URL,
			Region: s.Region, Regions: conf.Regions, Target: s.Target, Domains: s.Domains, LiteralKeys: s.LiteralKeys,
		}
		if err := setOperations(&all[i], conf.Oracle.RegionKey, s.Operations); err != nil {
			return nil, fmt.Errorf("services: %s: operations: %w", s.Name, err)
		}
		if s.AccessKey != "" {
			all[i].Key = &sigv4.Credentials{AccessKeyID: s.AccessKey, Secret: string(s.SecretKey.Reveal())}
		}
	}
	_, err := gateway.New(gateway.Config{Services: all})
	return all, err
}

// setOperations reads the table of a service's operations in the form of its protocol.
func setOperations(s *gateway.Service, regionKey string, lines []string) (err error) {
	if s.Protocol == gateway.ACS {
		if len(lines) > 0 {
			s.Table, err = acstable.Parse(strings.Join(lines, "\n"))
		}
		return err
	}
	if s.Protocol == gateway.OCI && s.Region == "" {
		s.Region = regionKey
	}
	for _, line := range lines {
		o, err := gateway.ParseOperation(line)
		if err != nil {
			return err
		}
		s.Operations = append(s.Operations, o)
	}
	return nil
}
