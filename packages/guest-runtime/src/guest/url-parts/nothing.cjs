// In place of the legacy encodings of @exodus/bytes: a plug-in's URLs are UTF-8.
