/**
 * One login for several root domains. A cookie is never sent to another domain, so a browser is sent there instead: the
 * portal of the first cookie domain, the hub, vouches for the user who is signed in with it.
 *
 * Owns: which portal may vouch for which (hub.ts), the transactions (transaction.ts), the codes that come back from them
 * (codes.ts), and the routes between the portals (routes.ts). Does not own the sessions that begin with a code, or end
 * together (sessions), nor the sign-in flow that sends a browser here (login).
 *
 * The way: anonymous at B → cookie with a state, to the hub with its hash → the hub's session vouches: a code, back → the
 * state and the code together begin a linked session at B. After a sign-in at B the same way is gone the other way round,
 * so that the hub has a session too. Every failure ends at the form of B: no way leads to a session without a code.
 *
 *   GET /hub/vouch?for&state         a session here may vouch: back with a code, or without
 *   GET /hub/return?from&state&code  back from there: a linked session, and on to the portal; or first a question, when the
 *                                    browser is known as another user's
 *   POST /hub/return                 the answer
 *   GET /hub/join?with               the hub: ask the member where the user has just signed in
 */
export { createHub, type Hub, type Member, type Question } from './hub.ts'
export {
  finishedTransactions,
  type HubRedirect,
  hasPendingTransaction,
  redirectThroughHub,
  redirectToHub,
} from './redirects.ts'
export { hubRoutes } from './routes.ts'
export { beginTransaction, pendingTransactions } from './transaction.ts'
