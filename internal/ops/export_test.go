package ops

import "time"

// Used notes a use of a caller's credentials, as SigV4 does.
func (s *Server) Used(c *Caller, at time.Time, service, region string) {
	s.usage.touch(c, at, service, region)
}

// Deliver says by which channels messages go, as the configuration does.
func (s *Server) Deliver(d Delivery) { s.post.Delivery = d }
