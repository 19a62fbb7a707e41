/**
 * `this` in the handlers of every behaviour: the process itself, with all that it can do. What that is, the roof knows, which stands on this
 * storey: src/beamlet.ts declares that it is a NodeProcess (docs/adr/008-the-roof.md).
 */
export interface OwnProcess {}
