/* What the pages do a little better with scripts; each of them works without. No styles, no text of its own. */
"use strict";
