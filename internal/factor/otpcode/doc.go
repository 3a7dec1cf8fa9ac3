// Package otpcode owns one-time codes that are sent to a person, by mail or as a
// text message: how one is drawn, what is kept of it, whether what was typed is
// it, and how often codes may go out (NIST SP 800-63B, section 5.1.3; security
// checklist C-7).
//
// Bytes and a now go in, a verdict comes out. The package sends, stores and
// counts nothing: single use and the five tries hold only if the caller writes
// them with conditional updates. ops calls it.
package otpcode
