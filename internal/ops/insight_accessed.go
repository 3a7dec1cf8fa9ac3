package ops

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
)

// LastAccessedIn asks for a report on what a user or role used.
type LastAccessedIn struct {
	ARN     string
	Actions bool // tell of actions, too
}

// GenerateServiceLastAccessedDetails gives a report its number. There is nothing to
// wait for: the report is made when it is read.
//
// Errors: NotFound user or role; Invalid, field arn.
var GenerateServiceLastAccessedDetails = Op[LastAccessedIn, string]{
	Name:   "GenerateServiceLastAccessedDetails",
	Grants: Names{AWS: "iam:GenerateServiceLastAccessedDetails"},
	Target: func(env *Env, in LastAccessedIn) (Target, error) { return env.sourceTarget(in.ARN) },
	Record: func(in LastAccessedIn) audit.Fields { return audit.Fields{"arn": clipped(in.ARN)} },
	Do: func(env *Env, in LastAccessedIn) (string, error) {
		kind, ref, err := env.policySource(in.ARN)
		if err != nil || kind == iam.KindGroup {
			return "", fault.Field("arn", "%s is not the ARN of a user or role of the account", in.ARN)
		}
		c, _, err := env.supposed(kind, ref)
		if err != nil {
			return "", err
		}
		return accessedJob{c.ID(), kind, in.Actions, env.Now}.String(), nil
	},
}

// accessedJob is what the number of a report says: about whom it is, and when it was
// asked for. It is no secret, and gives nothing: reading asks policy again.
type accessedJob struct {
	id      name.ID
	kind    iam.PrincipalKind
	actions bool
	at      time.Time
}

// String spells the number as AWS does, like a UUID.
func (j accessedJob) String() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(j.id))
	binary.BigEndian.PutUint64(b[8:], uint64(j.at.Unix())<<2)
	if j.kind == iam.KindRole {
		b[15] |= 1
	}
	if j.actions {
		b[15] |= 2
	}
	text := hex.EncodeToString(b[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

func parseAccessedJob(text string) (j accessedJob, ok bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != 16 {
		return j, false
	}
	last := binary.BigEndian.Uint64(b[8:])
	j = accessedJob{name.ID(binary.BigEndian.Uint64(b)), iam.KindUser, last&2 != 0, time.Unix(int64(last>>2), 0).UTC()}
	if last&1 != 0 {
		j.kind = iam.KindRole
	}
	return j, j.id > 0 && j.String() == text
}

// LastAccessed is a page of a report.
type LastAccessed struct {
	Principal string    // ARN
	Asked     time.Time // when the report got its number
	Actions   bool
	page.Page[ServiceWorth]
}

// ReadLastAccessedIn names a report by its number.
type ReadLastAccessedIn struct {
	Job string
	Listing
}

// GetServiceLastAccessedDetails tells what a user or role was given of each service
// that its policies name, and when it last used it, as of now.
//
// Errors: NotFound, noun "job"; Invalid page.
var GetServiceLastAccessedDetails = Op[ReadLastAccessedIn, *LastAccessed]{
	Name:   "GetServiceLastAccessedDetails",
	Grants: Names{AWS: "iam:GetServiceLastAccessedDetails"},
	Target: func(env *Env, in ReadLastAccessedIn) (Target, error) {
		j, ok := parseAccessedJob(in.Job)
		if !ok {
			return Target{Noun: "job"}, nil
		}
		return env.triedTarget(j.kind, Ref{ID: j.id})
	},
	Record: func(in ReadLastAccessedIn) audit.Fields { return audit.Fields{"jobId": clipped(in.Job)} },
	Before: func(ctx context.Context, s *Server, _ *Call, in ReadLastAccessedIn) (ReadLastAccessedIn, error) {
		return in, s.refresh(ctx)
	},
	Do: func(env *Env, in ReadLastAccessedIn) (*LastAccessed, error) {
		j, ok := parseAccessedJob(in.Job)
		if !ok {
			return nil, fault.Of(fault.NotFound, "job", in.Job)
		}
		l := &lessening{env: env, out: &LeastPrivilege{}, all: true}
		l.in = LeastPrivilegeIn{Kind: j.kind, Who: Ref{ID: j.id}, Days: EvidenceDays}
		for _, step := range []func() error{l.read, l.services} {
			if err := step(); fault.Is(err, fault.NotFound) {
				return nil, fault.Of(fault.NotFound, "job", in.Job)
			} else if err != nil {
				return nil, err
			}
		}
		out := &LastAccessed{Principal: l.out.Principal, Asked: j.at, Actions: j.actions}
		all := l.out.Services
		var err error
		out.Page, err = pagedBy(env, "GetServiceLastAccessedDetails", []string{in.Job}, in.Listing, func(after page.Key, limit int) ([]ServiceWorth, error) {
			from := 0
			if after != nil {
				n, err := strconv.Atoi(after[0])
				if err != nil {
					return nil, fault.Wrap(err, "read a cursor")
				}
				from = n
			}
			rest := all[min(from, len(all)):]
			return rest[:min(limit, len(rest))], nil
		}, func(w ServiceWorth) page.Key { return page.Key{strconv.Itoa(w.at + 1)} })
		return out, err
	},
}
