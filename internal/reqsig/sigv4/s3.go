package sigv4

// ForS3 says a refusal in the words of S3, whose codes differ from those of IAM
// and STS. An error that is not of this package is returned as it is.
func ForS3(err error) error {
	e, ok := err.(*Error)
	if !ok {
		return err
	}
	s := *e
	switch e.Reason {
	case Missing:
		s.Code, s.Message, s.Status = "AccessDenied", "Access Denied", 403
	case Ambiguous:
		s.Code, s.Status = "InvalidArgument", 400
		s.Message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, " +
			"Signature query string parameter or the Authorization header should be specified"
	case Incomplete, OutOfScope:
		s.Code, s.Message, s.Status = "AuthorizationHeaderMalformed", "The authorization header is malformed; "+e.Message, 400
	case Skewed:
		s.Code, s.Status = "RequestTimeTooSkewed", 403
		s.Message = "The difference between the request time and the current time is too large."
	case Expired:
		s.Code, s.Message, s.Status = "AccessDenied", "Request has expired", 403
	case UnsignedHeader:
		s.Code, s.Status = "AccessDenied", 403
		s.Message = "There were headers present in the request which were not signed"
	case Mismatch:
		s.Message = "The request signature we calculated does not match the signature you provided. Check your key and signing method."
	case UnknownKey:
		s.Code, s.Message = "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
	case ExpiredToken:
		s.Message, s.Status = "The provided token has expired.", 400
	case BadQuery:
		s.Code, s.Status = "InvalidURI", 400
	case BadPayload: // these are S3's own already
	}
	return &s
}
