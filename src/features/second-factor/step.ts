import { contributeSteps, type StepContributor } from '../portal/index.ts'
import type { SecondFactor } from './method.ts'

/** Where a user who has a second factor shows it. */
export const CHALLENGE = '/second-factor'
/** Where a user who has none enrols one. */
export const ENROLMENT = '/second-factor/enrol'

/** A user who meets a rule that asks for two factors shows the second one first, or enrols one. */
export const secondFactorStep = (
  factors: Pick<SecondFactor, 'available' | 'isOn'>,
): StepContributor =>
  contributeSteps({
    name: 'second-factor',
    async facts({ identity, domain }) {
      if (identity === undefined || !factors.isOn) return []
      return factors.available(identity.session.user, domain)
    },
    next({ level, destination }, available) {
      if (!factors.isOn || level === 2) return undefined
      if (destination.kind !== 'safe' && destination.kind !== 'interaction') return undefined
      if (destination.outcome !== 'two_factor') return undefined
      return { path: available.length > 0 ? CHALLENGE : ENROLMENT }
    },
  })
