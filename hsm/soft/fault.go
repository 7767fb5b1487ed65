package soft

import (
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// The codes of what can be wrong with a key file.
const (
	CodeWrongPassphrase  = "soft_wrong_passphrase"  // Forbidden
	CodePassphraseLength = "soft_passphrase_length" // Invalid
	CodeDamaged          = "soft_damaged"           // Invalid: cut, altered, or no key file at all
	CodeVersionUnknown   = "soft_version_unknown"   // Invalid: written by a later version
	CodeCostRefused      = "soft_cost_refused"      // Invalid: derivation costs out of bounds
	CodeModeOpen         = "soft_mode_open"         // Invalid: others may read or write the file
	CodeNotFile          = "soft_not_file"          // Invalid: a folder, link or device
	CodeAbsent           = "soft_absent"            // NotFound
	CodeExists           = "soft_exists"            // Conflict: Create on a file that is there
	CodeLocked           = "soft_locked"            // Conflict: another writer has it
	CodeReplaced         = "soft_replaced"          // Conflict: somebody exchanged the file under us
	CodeFull             = "soft_full"              // TooLarge
	CodeIO               = "soft_io"                // Unavailable: the disk refuses
	CodeStuck            = "soft_stuck"             // Unavailable: a write ended with an unknown outcome; open again
)

func damaged(cause error) error {
	return fault.Wrap(cause, fault.Invalid, CodeDamaged, "the key file is damaged").
		WithHint("restore it from a backup; the passphrase is not the cause")
}

func ioFault(cause error, message string) error {
	return fault.Wrap(cause, fault.Unavailable, CodeIO, message)
}

func stuck(cause error) error {
	return fault.Wrap(cause, fault.Unavailable, CodeStuck, "whether the last change of the key file is durable is unknown, so no key is made").
		WithHint("check the disk and start again: the file holds either the old keys or the new ones, whole")
}
