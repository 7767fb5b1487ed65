package soft

import (
	"os"

	"github.com/yinxin-trust/yinxin/hsm"
)

// Disk is the steps of a write, for tests that stop between them.
type Disk interface {
	WriteNew(name string, data []byte) (os.FileInfo, error)
	Rename(from, to string) error
	SyncFolder(name string) error
	Remove(name string) error
}

type testDisk struct{ Disk }

func (d testDisk) writeNew(name string, data []byte) (os.FileInfo, error) {
	return d.WriteNew(name, data)
}
func (d testDisk) rename(from, to string) error { return d.Rename(from, to) }
func (d testDisk) syncFolder(name string) error { return d.SyncFolder(name) }
func (d testDisk) remove(name string) error     { return d.Remove(name) }

// RealDisk is what Create and Open use.
type RealDisk struct{}

func (RealDisk) WriteNew(name string, data []byte) (os.FileInfo, error) {
	return osDisk{}.writeNew(name, data)
}
func (RealDisk) Rename(from, to string) error { return osDisk{}.rename(from, to) }
func (RealDisk) SyncFolder(name string) error { return osDisk{}.syncFolder(name) }
func (RealDisk) Remove(name string) error     { return osDisk{}.remove(name) }

// CreateOn and OpenOn work on a disk of the test's.
func CreateOn(path string, passphrase []byte, o Options, d Disk) (*Provider, error) {
	return create(path, passphrase, o, testDisk{d})
}

func OpenOn(path string, passphrase []byte, d Disk) (*Provider, error) {
	return open(path, passphrase, testDisk{d})
}

// ParseFile reads a file's form without the costly derivation.
func ParseFile(data []byte) error {
	_, err := parseFile(data)
	return err
}

// Recode reads the entries and writes them again.
func Recode(body []byte) ([]byte, error) {
	entries, err := parseEntries(body)
	if err != nil {
		return nil, err
	}
	named := map[hsm.Ref]*entry{}
	for _, e := range entries {
		named[e.ref] = e
	}
	return encodeEntries(named)
}

// Body gives the entries of an open provider as they are sealed.
func (p *Provider) Body() ([]byte, error) { return encodeEntries(p.entries) }

// Material gives the bytes that Close must zero.
func (p *Provider) Material() [][]byte {
	all := [][]byte{p.root}
	for _, e := range p.entries {
		all = append(all, e.material, e.sealed.seal, e.sealed.mac)
	}
	return all
}

// BreakPublic exchanges the public half of a key, so that what it signs does not verify.
func (p *Provider) BreakPublic(ref, with hsm.Ref) { p.entries[ref].public = p.entries[with].public }

// Reseal makes a file of any costs and entries, as somebody who knows the passphrase, or a later version, might.
func Reseal(passphrase []byte, derive, claim Cost, body []byte) ([]byte, error) {
	h, err := newHead(derive)
	if err != nil {
		return nil, err
	}
	root := h.derive(passphrase)
	h.cost = claim
	return h.seal(root, body)
}
