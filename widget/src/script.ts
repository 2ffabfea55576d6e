/** The widget as a script tag, classic or module: /widget.js. */

import "./index.js";
