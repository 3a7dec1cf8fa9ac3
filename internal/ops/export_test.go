package ops

import "time"

// Used notes a use of a caller's credentials, as SigV4 does.
func (s *Server) Used(c *Caller, at time.Time, service, region string) {
	s.usage.touch(c, at, service, region)
}
