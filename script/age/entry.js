// What the page /report needs of age: to seal for a recipient, to open what was sealed for us, and the text form of keys.
export { Decrypter, Encrypter, identityToRecipient } from "age-encryption";
export { bech32 } from "@scure/base";
