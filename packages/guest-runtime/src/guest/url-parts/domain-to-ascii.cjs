'use strict';
// In place of tr46: host names in plain ASCII need none of its tables, which are large and are built only when one does.
exports.toASCII = (domain, options) => {
  const isPlain = /^[\x00-\x7f]*$/.test(domain) && !/(^|\.)xn--/i.test(domain) && !options.useSTD3ASCIIRules;
  return isPlain ? domain.toLowerCase() : require('tr46-tables').toASCII(domain, options);
};
exports.toUnicode = (domain, options) => require('tr46-tables').toUnicode(domain, options);
