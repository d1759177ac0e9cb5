"""Where bytes come from: files, web servers, object stores."""
