/** The page for whoever comes by a share link. Needs no login, and leads nowhere else. */
export { guestView, lostLinkView } from './guest-view.js';
export { loadShareSecret, takeShareFragment } from './share-fragment.js';
