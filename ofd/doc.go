// Package ofd reads and writes OFD documents (GB/T 33190-2016) and their signature files (clause 18).
//
// Open lets a stranger's bytes through a strict gate (one reading of the ZIP container or none) and reads what decides
// the picture; Package.Examine judges the signature list, the digests and the stamps, and Examination.Coverage what of
// the document the signatures that hold protect. The signature values themselves are opaque here: package seal judges
// them, package verify composes.
//
// Builder writes a document with deterministic bytes: an embedded font subset, a template page, value pages, custom tags
// to every value, metadata, attachments. Builder.Prepare freezes Signature.xml; Unsigned.Finish puts the value in.
package ofd
