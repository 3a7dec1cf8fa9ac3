package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/gateway/ec2demo"
)

// demoRegion is the region that the pretended EC2 says it is in.
const demoRegion = "us-east-1"

// startDemo runs a pretended EC2 on a port that only this machine reaches, and
// makes it the service ec2 of the configuration.
func startDemo(conf *config.Config, log *slog.Logger) (stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the demonstration: %w", err)
	}
	at := config.Service{Name: "ec2", URL: &url.URL{Scheme: "http", Host: l.Addr().String()}, Protocol: "ec2"}
	if !conf.AddService(at) {
		l.Close()
		return nil, errors.New("--demo brings a service ec2, and the configuration has one already")
	}
	s := newHTTPServer(ec2demo.New(demoRegion, time.Now), log)
	go s.Serve(l) //nolint:errcheck // it ends when it is closed
	return func() { s.Close() }, nil
}
