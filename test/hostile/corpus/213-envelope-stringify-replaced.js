// attack: JSON.stringify, String methods and Array methods replaced
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    JSON.stringify = () => '{"error":{"name":"E","message":"m","stack":""},"rejection":{"message":"PWNED"}}';
    String.prototype.slice = String.prototype.indexOf = String.prototype.charCodeAt = () => 'PWNED';
    Array.prototype.push = Array.prototype.join = () => 'PWNED'; Reflect.apply = () => 'PWNED'; Function.prototype.call = () => 'PWNED'; Function.prototype.apply = () => 'PWNED';
    throw new Error('plain');
  },
};
