package main

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// What was acknowledged is there after kill -9 in the middle of writes, and the
// folder opens again without help.
func TestKillLosesNothing(t *testing.T) {
	data, first := initFolder(t)
	acknowledged := map[string]bool{}
	for round := range 3 {
		p := serve(t, data)
		for _, name := range createUntilKilled(t, p, first, round, 150) {
			acknowledged[name] = true
		}
	}
	p := serve(t, data)
	there := map[string]bool{}
	pages := iam.NewListUsersPaginator(p.client(first.AccessKeyID, first.SecretAccessKey), &iam.ListUsersInput{MaxItems: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(background)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			there[*u.UserName] = true
		}
	}
	for name := range acknowledged {
		if !there[name] {
			t.Errorf("%s was acknowledged and is lost", name)
		}
	}
	t.Logf("%d users acknowledged, %d there", len(acknowledged), len(there))
}

// createUntilKilled creates users from eight callers, kills the server when
// enough are acknowledged, and returns all that were.
func createUntilKilled(t *testing.T, p *process, first firstCredentials, round, enough int) (acknowledged []string) {
	t.Helper()
	var mu sync.Mutex
	var made atomic.Int64
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			c := p.client(first.AccessKeyID, first.SecretAccessKey)
			for i := 0; ; i++ {
				name := fmt.Sprintf("round%d-caller%d-%d", round, caller, i)
				if _, err := c.CreateUser(background, &iam.CreateUserInput{UserName: &name}); err != nil {
					if made.Load() < int64(enough) {
						t.Errorf("CreateUser: %v", err)
					}
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, name)
				mu.Unlock()
				if made.Add(1) == int64(enough) {
					p.signal(t, sigkill)
				}
			}
		})
	}
	callers.Wait()
	<-p.ended
	return acknowledged
}

// Security checklist K-1: both rotations run while the server works, and
// nothing is refused or lost, also for a server that starts afterwards.
func TestRotateUnderLoad(t *testing.T) {
	data, first := initFolder(t)
	p := serve(t, data)
	stop := make(chan struct{})
	var callers sync.WaitGroup
	var calls atomic.Int64
	keys := make([][2]string, 4)
	for i := range keys {
		callers.Go(func() { keys[i] = exchangeKeys(t, p, first, fmt.Sprintf("user%d", i), stop, &calls) })
	}
	for range 3 {
		run(t, "keys", "rotate", "--data", data)
		run(t, "keys", "rotate", "--kek", "--data", data)
	}
	close(stop)
	callers.Wait()
	t.Logf("%d calls during six rotations", calls.Load())
	for _, again := range []bool{false, true} {
		if again {
			if status := p.end(t, sigterm); status != 0 {
				t.Fatalf("the server ended with %d\n%s", status, p.log)
			}
			p = serve(t, data)
		}
		for _, k := range keys {
			if _, err := p.client(k[0], k[1]).GetUser(background, &iam.GetUserInput{}); err != nil {
				t.Errorf("after a restart %v: %v", again, err)
			}
		}
	}
}

// exchangeKeys makes a user who may read itself, and replaces its key over and
// over, using each new one. It returns the last.
func exchangeKeys(t *testing.T, p *process, first firstCredentials, user string, stop chan struct{}, calls *atomic.Int64) (key [2]string) {
	admin := p.client(first.AccessKeyID, first.SecretAccessKey)
	check := func(what string, err error) {
		calls.Add(1)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := admin.CreateUser(background, &iam.CreateUserInput{UserName: &user})
	check("CreateUser", err)
	_, err = admin.AttachUserPolicy(background, &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")})
	check("AttachUserPolicy", err)
	for {
		made, err := admin.CreateAccessKey(background, &iam.CreateAccessKeyInput{UserName: &user})
		check("CreateAccessKey", err)
		if err != nil {
			return key
		}
		if key[0] != "" {
			_, err = admin.DeleteAccessKey(background, &iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &key[0]})
			check("DeleteAccessKey", err)
		}
		key = [2]string{*made.AccessKey.AccessKeyId, *made.AccessKey.SecretAccessKey}
		_, err = p.client(key[0], key[1]).GetUser(background, &iam.GetUserInput{})
		check("GetUser with the new key", err)
		select {
		case <-stop:
			return key
		default:
		}
	}
}

// A server that did nothing during a rotation seals its next secret with the new
// key, though nothing that it was asked to open told it of that key.
func TestRotateWhileIdle(t *testing.T) {
	data, first := initFolder(t)
	p := serve(t, data)
	admin := p.client(first.AccessKeyID, first.SecretAccessKey)
	if _, err := admin.CreateUser(background, &iam.CreateUserInput{UserName: aws.String("u")}); err != nil {
		t.Fatal(err)
	}
	run(t, "keys", "rotate", "--data", data)
	made, err := admin.CreateAccessKey(background, &iam.CreateAccessKeyInput{UserName: aws.String("u")})
	if err != nil {
		t.Fatalf("the first secret after a rotation: %v\n%s", err, p.log)
	}
	p.end(t, sigterm)
	p = serve(t, data)
	c := p.client(*made.AccessKey.AccessKeyId, *made.AccessKey.SecretAccessKey)
	if _, err := c.ListUsers(background, &iam.ListUsersInput{}); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("a user without permissions, by its key: %v", err)
	}
}
