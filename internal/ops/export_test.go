package ops

import "time"

// Used notes a use of a caller's credentials, as SigV4 does.
func (s *Server) Used(c *Caller, at time.Time, service, region string) {
	s.usage.touch(c, at, service, region)
}

// PieceLeaves says how many leaves are put in pieces together.
func (s *Server) PieceLeaves(n int64) { s.pieceLeaves = n }

// Deliver says by which channels messages go, as the configuration does.
func (s *Server) Deliver(d Delivery) { s.post.Delivery = d }
