// Command s3peer runs an S3 server that is not ours, VersityGW, for the tests
// of the gateway to stand in front of. It is a module of its own so that the
// server's many dependencies stay out of Warifu's.
//
// It serves the folder given by -dir, verifies every signature against the one
// key pair given, and ends when its standard input closes.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	listen := flag.String("listen", "", "host:port to serve on")
	dir := flag.String("dir", "", "an empty folder for buckets and metadata")
	access := flag.String("access", "", "access key id")
	secret := flag.String("secret", "", "secret access key")
	region := flag.String("region", "us-east-1", "region that signatures must name")
	flag.Parse()
	if err := run(*listen, *dir, *access, *secret, *region); err != nil {
		log.Fatal(err)
	}
}

func run(listen, dir, access, secret, region string) error {
	buckets, metadata, versions := filepath.Join(dir, "buckets"), filepath.Join(dir, "metadata"), filepath.Join(dir, "versions")
	for _, d := range []string{buckets, metadata, versions} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	attributes, err := meta.NewSideCar(metadata)
	if err != nil {
		return err
	}
	files, err := posix.New(buckets, attributes, posix.PosixOpts{SideCarDir: metadata, VersioningDir: versions, CopyObjectThreshold: 5 << 30})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent closes it or dies
		stop()
	}()
	return embedgw.RunVersityGW(ctx, files, &embedgw.Config{
		RootUserAccess: access, RootUserSecret: secret, Region: region, Ports: []string{listen},
		MaxConnections: 1024, MaxRequests: 512, MultipartMaxParts: 10000, Quiet: true, KeepAlive: true,
	})
}
