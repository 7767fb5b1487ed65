package license

import "time"

// Event is one line of what happened to a license and who looked at it, as its holder and its issuer may see it.
type Event struct {
	At         time.Time `json:"at"`
	Act        EventAct  `json:"act"`
	ActorKind  ActorKind `json:"actor_kind"`
	Actor      string    `json:"actor,omitempty"` // account or client ID, never a name or number
	OnBehalfOf string    `json:"on_behalf_of,omitempty"`
	Office     string    `json:"office,omitempty"` // organisation code of who acted or looked
	Matter     string    `json:"matter,omitempty"`
	CaseNo     string    `json:"case_no,omitempty"`
	Reason     string    `json:"reason,omitempty"`  // reason code, or the purpose the holder chose
	Receipt    string    `json:"receipt,omitempty"` // of an accepted code
	Fields     []string  `json:"fields,omitempty"`  // field codes that were disclosed
	State      State     `json:"state,omitempty"`   // after a change of state
}

// EventAct is what happened.
type EventAct string

// The acts.
const (
	ActAccepted  EventAct = "accepted"  // the office's request was accepted
	ActIssued    EventAct = "issued"    // sealed and in force
	ActRevoked   EventAct = "revoked"   // taken back by its office
	ActShown     EventAct = "shown"     // the holder made a code
	ActPresented EventAct = "presented" // an authenticated verifier accepted a code
	ActRefused   EventAct = "refused"   // an authenticated verifier was refused a code
	ActOpened    EventAct = "opened"    // somebody other than a holder opened the face
	ActFetched   EventAct = "fetched"   // somebody other than a holder fetched the file or the static code
	ActFound     EventAct = "found"     // somebody other than a holder searched for the holder and found it
	ActChecked   EventAct = "checked"   // an authenticated verifier checked the static code
)

// ActorKind says in which part somebody acted.
type ActorKind string

// The parts.
const (
	ActorHolder   ActorKind = "holder"
	ActorOfficer  ActorKind = "officer"
	ActorVerifier ActorKind = "verifier"
	ActorClient   ActorKind = "client"  // an application, such as an acceptance system
	ActorService  ActorKind = "service" // the product itself, such as its sealing worker
)
