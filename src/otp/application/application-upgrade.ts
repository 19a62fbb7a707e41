/**
 * Applications in an upgrade of the module that defines them: while servers move, they have their new definitions already, as in a release upgrade of OTP;
 * when all have moved, those that run are told how their configuration has changed.
 *
 * Source: release_handler.erl (do_install_release).
 */
import type { Code } from '../../node/code.js'
import type { Atom } from '../../term/index.js'
import { applicationsOf } from './application.js'
import type { Applications } from './applications.js'

/** What an upgrade has changed of applications */
export interface ApplicationChange {
  /** The upgrade has failed: all is as it was. */
  undo(): void
  /** @throws ApplicationError when one that was told says so */
  done(): Promise<void>
}

/** Gives the applications of a module their definitions in its new version, which was imported by that URL. @throws EtfError */
export function changeApplications(applications: Applications, code: Code, module: Atom, url: string): ApplicationChange {
  const { loaded } = applications.controller
  const before = applications.prepConfigChange()
  const old = loaded.current().filter(({ code: { definition } }) => definition.module !== undefined && code.isOf(module, definition.module))
  const next = applicationsOf(url)
  loaded.change(next.filter(({ name }) => old.some(({ code }) => code.name === name)))
  return {
    undo() {
      for (const each of old) if (loaded.get(each.code.name)) loaded.restore(each)
    },
    done: () => applications.configChange(before),
  }
}
